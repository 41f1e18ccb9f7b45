"""Builds the extension. MORE_EXECUTORS_BUILD chooses a profile; everything else is in pyproject.toml."""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_py import build_py

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


class BuildPackage(build_py):
    """Puts a stub beside each module that has its types inline: itself.

    `mypy --follow-imports skip` reads the types of other packages from stubs only.
    """

    def build_module(self, module, module_file, package):
        built = super().build_module(module, module_file, package)
        if not Path(module_file).with_suffix(".pyi").exists():
            self.copy_file(module_file, str(self._stub(package, module)))
        return built

    def get_outputs(self, include_bytecode=True):
        stubs = [str(self._stub(package, module)) for package, module, _ in self.find_all_modules()]
        return list(dict.fromkeys(super().get_outputs(include_bytecode) + stubs))

    def _stub(self, package, module):
        return Path(self.build_lib, *package.split("."), f"{module}.pyi")


setup(ext_modules=cythonize([core], compiler_directives=directives), cmdclass={"build_py": BuildPackage})
