"""Buckets: a folder and a row each, with the settings that S3 keeps of them."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import Any

from local_sagemaker import clock
from local_sagemaker.files.removal import discard
from local_sagemaker.objects.errors import BucketNotEmpty, InvalidBucketName, NoSuchBucket
from local_sagemaker.objects.index import BucketRow, Index
from local_sagemaker.objects.layout import StoreLayout, valid_bucket_name

_HOLDERS = ("objects", "versions")


class Buckets:
    """Creates, finds and deletes buckets."""

    def __init__(self, *, index: Index, layout: StoreLayout) -> None:
        self._index = index
        self._layout = layout
        self._settings: dict[tuple[str, str], Any] = {}

    def create(self, name: str, region: str = "us-east-1") -> BucketRow:
        """Creates a bucket; one that exists stays as it is. Raises `InvalidBucketName`."""
        if not valid_bucket_name(name):
            raise InvalidBucketName(BucketName=name)
        with self._index.transaction():
            existing = self._index.bucket(name)
            if existing:
                return existing
            (self._layout.folder / name).mkdir(exist_ok=True)
            bucket = BucketRow(name, clock.now(), region)
            self._index.save_bucket(bucket)
        return bucket

    def get(self, name: str) -> BucketRow:
        """The bucket, or `NoSuchBucket`."""
        bucket = self._index.bucket(name)
        if bucket is None:
            raise NoSuchBucket(BucketName=name)
        return bucket

    def find(self, name: str) -> BucketRow | None:
        """The bucket, or None."""
        return self._index.bucket(name)

    def list(self) -> list[BucketRow]:
        """All buckets, by name."""
        return self._index.buckets()

    def delete(self, name: str) -> None:
        """Deletes a bucket that holds no version of anything; its unfinished uploads go with it."""
        with self._index.transaction():
            self.get(name)
            for table in _HOLDERS:
                if self._index.rows(f"SELECT 1 FROM {table} WHERE bucket = ? LIMIT 1", name):
                    raise BucketNotEmpty(BucketName=name)
            uploads = self._index.rows("SELECT id FROM uploads WHERE bucket = ?", name)
            self._index.forget_bucket(name)
            self.forget_settings()
            scratch = self._layout.scratch()
            with suppress(FileNotFoundError):
                os.replace(self._layout.folder / name, scratch)
        discard(scratch)
        for (upload,) in uploads:
            discard(self._layout.uploads / upload)

    def set_versioning(self, name: str, state: str) -> None:
        """`state` is Enabled or Suspended; a bucket never goes back to unversioned."""
        with self._index.transaction():
            self._index.save_bucket(replace(self.get(name), versioning=state))

    def setting(self, name: str, what: str) -> Any:
        """What was kept of the bucket under that name, or None. Not to be changed: it is remembered."""
        try:
            return self._settings[name, what]
        except KeyError:
            with self._index.lock():
                return self._settings.setdefault((name, what), self._index.setting(name, what))

    def forget_settings(self) -> None:
        """After settings have changed in the index."""
        self._settings.clear()

    def keep_setting(self, name: str, what: str, body: Any) -> None:
        """Keeps a JSON value of the bucket; None removes it."""
        with self._index.transaction():
            self.get(name)
            self._index.keep_setting(name, what, body)
            self.forget_settings()
