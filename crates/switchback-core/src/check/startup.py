"""Imports modules, each in a process of its own, and writes down which of them cannot be.

    python -B startup.py GIVEN OUT

GIVEN is a JSON file: {"roots": [folders for sys.path], "tree": folder, "modules": [names], "seconds": for one module}.
Worker N writes OUT.N: a line of JSON for each module, {"module", "ok", "error", "place"}.
"""

import importlib
import importlib._bootstrap_external as loading
import json
import os
import select
import signal
import sys
import time
import traceback


def place_of(error, tree):
    """The innermost frame that lies in the tree, else the innermost of all: `file:line`."""
    if isinstance(error, SyntaxError) and error.filename:
        return "%s:%s" % (os.path.relpath(error.filename, tree), error.lineno)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    frames = [frame for frame in frames if frame.filename != __file__]
    inside = [frame for frame in frames if os.path.realpath(frame.filename).startswith(tree + os.sep)]
    for frame in (inside or frames)[-1:]:
        name = os.path.relpath(frame.filename, tree) if inside else frame.filename
        return "%s:%s" % (name, frame.lineno)
    return None


def pass_over_bytecode(tree):
    """What stands beside the sources of the tree may be of another generation: it is not read (RB-11)."""
    place_of_bytecode = loading.cache_from_source

    def place(path, *arguments, **more):
        if os.path.realpath(path).startswith(tree + os.sep):
            raise NotImplementedError
        return place_of_bytecode(path, *arguments, **more)

    loading.cache_from_source = place


def imported(name, tree):
    try:
        importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may also end the program
        said = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()
        return {"module": name, "ok": False, "error": said[-1] if said else type(error).__name__, "place": place_of(error, tree)}
    return {"module": name, "ok": True, "error": None, "place": None}


def forget_namesakes(modules):
    """Modules that this program imported and that the tree has under the same name: the tree's are meant."""
    tops = {name.partition(".")[0] for name in modules}
    for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
        del sys.modules[name]


def in_child(name, given):
    """One module in a process of its own: what it changes is gone with it, and so is what it started."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        own = os.getpid()
        os.close(read)
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        forget_namesakes(given["modules"])
        line = json.dumps(imported(name, given["tree"])).encode() + b"\n"
        # A child of the module comes out here as well, and has nothing to say.
        if os.getpid() == own:
            while line:
                line = line[os.write(write, line):]
        os._exit(0)
    os.close(write)
    said, deadline = b"", time.monotonic() + given["seconds"]
    # What the module started may hold the pipe open: the line is all that is waited for.
    while not said.endswith(b"\n"):
        ready = select.select([read], [], [], max(0, deadline - time.monotonic()))[0]
        piece = os.read(read, 65536) if ready else b""
        if not piece:
            break
        said += piece
    is_late = not said and time.monotonic() >= deadline
    if is_late:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(read)
    try:
        os.killpg(child, signal.SIGKILL)
    except OSError:
        pass
    if said.endswith(b"\n"):
        return json.loads(said)
    if is_late:
        why = "it was not imported within %d s" % given["seconds"]
    elif os.WIFSIGNALED(status):
        why = "its process was ended by signal %d" % os.WTERMSIG(status)
    else:
        why = "its process ended with exit code %d" % os.WEXITSTATUS(status)
    return {"module": name, "ok": False, "error": why, "place": None}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    given["tree"] = os.path.realpath(given["tree"])
    sys.path[0:1] = given["roots"]
    pass_over_bytecode(given["tree"])
    count = min(os.cpu_count() or 1, max(1, len(given["modules"])))
    workers = []
    for worker in range(count):
        child = os.fork()
        if child:
            workers.append(child)
            continue
        with open("%s.%d" % (sys.argv[2], worker), "w", encoding="utf-8") as out:
            for name in given["modules"][worker::count]:
                out.write(json.dumps(in_child(name, given)) + "\n")
        os._exit(0)
    failed = [child for child in workers if os.waitpid(child, 0)[1] != 0]
    sys.exit(3 if failed else 0)


main()
