"""The libraries of images: which versions each holds, and an environment of its own for each on this machine."""

from local_sagemaker.images.libraries.build import LibrarySet, NotPrepared, Say
from local_sagemaker.images.libraries.catalogue import ImageLibraries
from local_sagemaker.images.libraries.plan import NoPython
from local_sagemaker.images.libraries.store import LibrarySets

__all__ = ["ImageLibraries", "LibrarySet", "LibrarySets", "NoPython", "NotPrepared", "Say"]
