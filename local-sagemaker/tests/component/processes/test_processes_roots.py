"""Each process has a root of its own: what is outside of it can't be read, and what it writes stays in it."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path

import pytest

from local_sagemaker.files.removal import remove
from local_sagemaker.processes.isolation import MOUNT

SECRET = "the canary is alive"

LOOK = """
import ctypes, glob, json, os, socket, stat, sys

canary, home = sys.argv[1:3]
libc = ctypes.CDLL(None, use_errno=True)
found = {}

def attempt(name, action):
    try:
        result = action()
    except (OSError, ValueError) as error:
        return
    if result:
        found[name] = repr(result)[:100]

def read(path):
    def action():
        with open(path) as file:
            return file.read()
    return action

def linked(where):
    def action():
        place = os.path.join(where, "link")
        os.symlink(canary, place)
        return read(os.path.join(place, "file"))()
    return action

def hard():
    os.link(os.path.join(canary, "file"), "/tmp/hard")
    return read("/tmp/hard")()

def mounted(flags, source, kind=None):
    def action():
        os.makedirs("/tmp/mounted", exist_ok=True)
        if libc.mount(source.encode(), b"/tmp/mounted", kind, flags, None):
            raise OSError(ctypes.get_errno(), "mount")
        return os.listdir("/tmp/mounted")
    return action

def unmounted():
    done = []
    for line in reversed(open("/proc/self/mountinfo").read().splitlines()):
        place = line.split()[4]
        if place != "/proc" and libc.umount2(place.encode(), 2) == 0:
            done.append(place)
    return done

def in_user_namespace():
    pid = os.fork()
    if pid == 0:
        reading = None
        try:
            if libc.unshare(0x10000000 | 0x20000) == 0:
                reading = unmounted() or mounted(0x1000, canary)()
        except OSError:
            pass
        os._exit(1 if reading else 0)
    return os.waitpid(pid, 0)[1]

def by_handle():
    # Handles name files by their inodes, past any root; the root of a file system is inode 2 of ext4 and 128 of XFS.
    for inode in (2, 128, 256):
        handle = ctypes.create_string_buffer(8 + 128)
        ctypes.memmove(handle, b"\\x08\\0\\0\\0\\x01\\0\\0\\0" + inode.to_bytes(4, "little") + bytes(4), 16)
        mount = os.open("/", os.O_RDONLY)
        opened = libc.open_by_handle_at(mount, handle, os.O_RDONLY)
        if opened >= 0 and os.stat(opened).st_ino != os.stat("/").st_ino:
            return os.listdir(opened)
    return None

def devices():
    return [path for path in glob.glob("/dev/*") if stat.S_ISBLK(os.stat(path).st_mode)]

def made_device():
    os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, os.makedev(254, 0))
    return open("/tmp/disk", "rb").read(1)

def others():
    pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    return pids - {1, os.getpid()}

def traced():
    return [pid for pid in range(2, 400) if pid != os.getpid() and libc.ptrace(16, pid, 0, 0) == 0]

def setting():
    with open("/proc/sys/kernel/core_pattern", "r+") as file:
        text = file.read()
        file.seek(0)
        file.write(text)
    return text

attempt("the path", read(os.path.join(canary, "file")))
attempt("the state folder", lambda: os.listdir(home))
attempt("the keys", read(os.path.join(home, "credentials.json")))
attempt("upwards", read("../" * 40 + canary[1:] + "/file"))
for root in ["/proc/self/root", "/proc/1/root", "/proc/1/cwd", *glob.glob("/proc/[0-9]*/task/*/root")]:
    attempt("by " + root, read(root + canary + "/file"))
    attempt("upwards from " + root, read(root + "/.." * 20 + canary + "/file"))
for where in ("/", "/opt/ml", "/tmp", "/root"):
    attempt("by a link in " + where, linked(where))
attempt("by a hard link", hard)
attempt("by a bind mount", mounted(0x1000, canary))
attempt("by the disk", mounted(0, "/dev/vda", b"ext4"))
attempt("by a mount of /proc", mounted(0, "proc", b"proc"))
attempt("below what is mounted", unmounted)
attempt("in a user namespace", in_user_namespace)
attempt("by a handle", by_handle)
attempt("block devices", devices)
attempt("a device of its own", made_device)
attempt("another namespace", lambda: libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0x20000) == 0 and others())
attempt("other processes", others)
attempt("traced processes", traced)
attempt("a setting of the machine", setting)
try:
    os.kill(-1, 9)  # everybody that this process may kill: nobody
except ProcessLookupError:
    pass
print(json.dumps(found))
"""

WRITE = """
import json, os, sys
name, written = sys.argv[1], []
for folder in [".", os.path.expanduser("~"), *sys.argv[2:]]:
    try:
        with open(os.path.join(folder, name), "x") as file:
            file.write("x")
        written.append(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        print(folder, error, file=sys.stderr)
print(json.dumps(written))
"""

KILL = """
import os
for pid in range(2, 70000):
    if pid != os.getpid():
        try:
            os.kill(pid, 9)
            print(pid)
        except ProcessLookupError:
            pass
"""

LEAVE = """
import os, tempfile
for folder in (".", os.path.expanduser("~"), tempfile.gettempdir()):
    place = os.path.join(folder, "leftover")
    os.mkdir(place)
    open(os.path.join(place, "file"), "x").close()
"""


@pytest.fixture
def apart(world):
    """A world whose processes have roots of their own."""
    if not world.processes.isolation.namespaces:
        pytest.skip(f"paths are rewritten here: {world.processes.isolation.reason}")
    return world


@pytest.fixture
def canary(tmp_path):
    """A folder outside of every job, which nothing may change."""
    folder = tmp_path / "canary"
    folder.mkdir()
    (folder / "file").write_text(SECRET)
    os.mkfifo(folder / "pipe")
    before = listing(folder)
    yield folder
    assert listing(folder) == before


def listing(folder: Path) -> list[tuple[str, int, int, int, str]]:
    """All that can be seen of a folder's files."""
    found = []
    for path in sorted([folder, *folder.rglob("*")]):
        status = path.lstat()
        text = path.read_text() if path.is_file() else ""
        found.append((str(path), status.st_mode, status.st_nlink, status.st_mtime_ns, text))
    return found


def test_nothing_outside_can_be_seen(apart, canary):
    (apart.home / "credentials.json").write_text("keys")
    ran = apart.script(LOOK, str(canary), str(apart.home))
    assert ran.code == 0, ran.output
    if not apart.processes.isolation.own_pids:
        pytest.skip("there are no PID namespaces here")
    assert json.loads(ran.output) == {}


def test_what_is_written_anywhere_is_gone_for_the_next_process_and_never_on_the_machine(apart):
    name = f"written-by-a-job-{os.getpid()}"
    folders = ["/", "/home", "/mnt", "/opt", "/run", "/srv", "/tmp", "/var/tmp", "/var/lib", "/etc", "/usr",
               "/usr/local", "/usr/local/bin", "/dev/shm", "/opt/ml"]  # fmt: skip
    first = apart.script(WRITE, name, *folders)
    assert first.code == 0, first.output
    assert json.loads(first.output.splitlines()[-1]) == [".", "/root", *folders[1:]], first.output  # "." is "/"
    second = apart.script(WRITE, name, *folders)
    assert second.output == first.output
    assert [folder for folder in [*folders, str(Path.home())] if (Path(folder) / name).exists()] == []


def test_the_interpreters_libraries_are_there_and_stay_as_they_are(apart):
    site = sysconfig.get_path("purelib")
    file = Path(site) / "changed_by_a_job.py"
    text = f"import os, pandas, sys\nopen({str(file)!r}, 'w').write('')\nprint(pandas.__file__)"
    ran = apart.script(text)
    if not apart.processes.isolation.read_only:
        assert ran.code == 0, ran.output
        assert ran.output.startswith(site)
    assert not file.exists()


def test_system_folders_are_the_machines_until_a_process_changes_them(apart):
    ran = apart.run("/bin/sh", "-c", "cat /etc/passwd | head -1; echo changed > /etc/passwd; cat /etc/passwd")
    before = Path("/etc/passwd").read_text()
    assert ran.output.splitlines()[0] == before.splitlines()[0]
    assert before == Path("/etc/passwd").read_text()
    if apart.processes.isolation.way == MOUNT and not apart.processes.isolation.read_only:
        assert ran.output.splitlines()[1:] == ["changed"]


def test_a_process_cannot_end_others(apart):
    if not apart.processes.isolation.own_pids:
        pytest.skip("there are no PID namespaces here")
    other, _ = apart.start("sleep", "300")
    ran = apart.script(KILL)
    assert (ran.code, ran.output) == (0, "")
    assert other.wait(0) is None
    other.signal(9)
    other.wait(20)


def test_working_directory_home_and_tmp_are_private_everywhere(world):
    for _ in range(2):
        ran = world.script(LEAVE)
        assert ran.code == 0, ran.output
    assert not Path("/leftover").exists()
    assert not (Path.home() / "leftover").exists()


def test_a_root_is_removed_with_its_folder(apart):
    ran = apart.run("/bin/sh", "-c", "mkdir -p /a/b && rm -rf /usr/local/share 2>/dev/null; chmod 0 /a; echo done")
    assert ran.output == "done\n"
    remove(ran.root)
    assert not ran.root.exists()


def test_commands_find_the_services_interpreter(apart):
    ran = apart.run("/bin/sh", "-c", "python3 -c 'import sys; print(sys.version_info[:2])'")
    assert ran.output == f"{sys.version_info[:2]}\n"
