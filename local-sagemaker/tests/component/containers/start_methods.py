"""A user's module that starts processes in every way that Python and the usual libraries have."""

TEXT = '''
import asyncio, concurrent.futures, multiprocessing, multiprocessing.shared_memory, os, socket, subprocess, sys
import threading


def double(number):
    return 2 * number


def put(queue, number):
    queue.put(double(number))


def send(connection, number):
    connection.send(double(number))


def add_rank(rank, port, total):
    """As distributed training does it: ranks meet at an address, and the first one gathers."""
    if rank == 0:
        return
    with socket.create_connection(("127.0.0.1", port), 30) as peer:
        peer.sendall(bytes([rank]))


def work_on(name):
    shared = multiprocessing.shared_memory.SharedMemory(name)
    shared.buf[0] = double(shared.buf[0])
    shared.close()


def with_context(context):
    found = {}
    queue = context.Queue()
    process = context.Process(target=put, args=(queue, 21))
    process.start()
    found["process"] = queue.get(timeout=120)
    process.join()
    ours, theirs = context.Pipe()
    process = context.Process(target=send, args=(theirs, 21))
    process.start()
    found["pipe"] = ours.recv()
    process.join()
    with context.Pool(2) as pool:
        found["pool"] = sum(pool.map(double, [10, 11]))
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        found["executor"] = sum(pool.map(double, [10, 11]))
    with context.Manager() as manager:
        values = manager.dict(answer=42)
        found["manager"] = values["answer"]
    shared = multiprocessing.shared_memory.SharedMemory(create=True, size=1)
    shared.buf[0] = 21
    process = context.Process(target=work_on, args=(shared.name,))
    process.start()
    process.join()
    found["shared memory"] = shared.buf[0]
    shared.close()
    shared.unlink()
    with socket.create_server(("127.0.0.1", 0)) as server:
        ranks = [context.Process(target=add_rank, args=(rank, server.getsockname()[1], 3)) for rank in range(3)]
        for process in ranks:
            process.start()
        found["ranks"] = 39 + sum(server.accept()[0].recv(1)[0] for _ in range(2))
        for process in ranks:
            process.join()
    return found


def with_joblib(backend):
    from joblib import Parallel, delayed

    return sum(Parallel(n_jobs=2, backend=backend)(delayed(double)(number) for number in (10, 11)))


def forked():
    pid = os.fork()
    if pid == 0:
        os._exit(42)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(double(21)))
    thread.start()
    thread.join()
    return found[0]


async def by_asyncio():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(42)", stdout=subprocess.PIPE)
    return int((await process.communicate())[0])


def every_method(libraries=True):
    found = {}
    for method in multiprocessing.get_all_start_methods():
        for name, value in with_context(multiprocessing.get_context(method)).items():
            found[f"{method} {name}"] = value
    for backend in ("loky", "multiprocessing", "threading") if libraries else ():
        found[f"joblib {backend}"] = with_joblib(backend)
    found["fork"] = forked()
    found["thread"] = in_a_thread()
    found["asyncio"] = asyncio.new_event_loop().run_until_complete(by_asyncio())
    code = f"import {'numpy' if libraries else 'boto3'}; raise SystemExit(42)"
    found["python"] = subprocess.run([sys.executable, "-c", code]).returncode
    found["shell"] = int(subprocess.check_output("python3 -c 'print(42)'", shell=True))
    found["spawn of the kernel"] = os.waitstatus_to_exitcode(
        os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 42"], dict(os.environ)), 0)[1]
    )
    return {name: value for name, value in found.items() if value != 42}, len(found)
'''

SCRIPT = f"""{TEXT}

if __name__ == "__main__":
    print("did not work and number of methods:", every_method())
"""

ALL = "did not work and number of methods: ({}, 30)"
