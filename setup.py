"""Builds the extension. MORE_EXECUTORS_BUILD chooses a profile; everything else is in pyproject.toml."""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

MSVC = sys.platform == "win32"
TRACING = [("CYTHON_TRACE_NOGIL", "1"), ("CYTHON_USE_SYS_MONITORING", "0")]
SANITIZED = ["-O1", "-g3", "-fno-omit-frame-pointer"]

# profile: (compiler arguments, linker arguments, C macros, Cython directives)
PROFILES = {
    "release": (["/O2"] if MSVC else ["-O3", "-g0"], [], [], {}),
    "debug": (
        ["/Od", "/Zi"] if MSVC else ["-O0", "-g3", "-UNDEBUG", "-Wall", "-Werror"],
        [],
        [],
        {"nonecheck": True, "boundscheck": True},
    ),
    "coverage": ([] if MSVC else ["-O0", "-g"], [], TRACING, {"linetrace": True}),
    "refnanny": ([], [], [("CYTHON_REFNANNY", "1")], {}),
    "asan": ([*SANITIZED, "-fsanitize=address"], ["-fsanitize=address"], [], {}),
    "tsan": ([*SANITIZED, "-fsanitize=thread"], ["-fsanitize=thread"], [], {}),
}

profile = os.environ.get("MORE_EXECUTORS_BUILD", "release")
if profile not in PROFILES:
    sys.exit(f"MORE_EXECUTORS_BUILD={profile!r} is none of {', '.join(PROFILES)}")
compile_args, link_args, macros, directives = PROFILES[profile]

core = Extension(
    "more_executors._core",
    ["src_c/_core.pyx"],
    include_dirs=["src_c"],
    depends=["src_c/platform.h"],
    extra_compile_args=compile_args,
    extra_link_args=link_args,
    define_macros=[("MORE_EXECUTORS_PROFILE", f'"{profile}"'), *macros],
)

setup(ext_modules=cythonize([core], compiler_directives=directives))
