"""Builds the extension, stubs and the text for PyPI. MORE_EXECUTORS_BUILD chooses a profile.

Everything else is in pyproject.toml.
"""

import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).resolve().parent / "build_steps"))

from make_stubs import stub_of
from readme_for_pypi import readme_for_pypi

MSVC = sys.platform == "win32"
TRACING = [("CYTHON_TRACE_NOGIL", "1"), ("CYTHON_USE_SYS_MONITORING", "0")]
VOLATILE = ["/volatile:ms"] if MSVC else []  # what platform.h makes of fields that threads share
SANITIZED = ["-O1", "-g3", "-fno-omit-frame-pointer"]

# profile: (compiler arguments, linker arguments, C macros, Cython directives)
PROFILES = {
    "release": (["/O2"] if MSVC else ["-O3", "-g0"], [], [], {}),
    "quick": (["/O1"] if MSVC else ["-O1", "-g0"], [], [], {}),
    "debug": (
        ["/Od", "/Zi"] if MSVC else ["-O0", "-g3", "-UNDEBUG", "-Wall", "-Werror"],
        [],
        [("MORE_EXECUTORS_COUNTS_LIVE_OBJECTS", "1"), ("CYTHON_USE_FREELISTS", "0")],
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
    depends=["src_c/platform.h", "src_c/live_objects.h"],
    extra_compile_args=[*compile_args, *VOLATILE],
    extra_link_args=link_args,
    define_macros=[("MORE_EXECUTORS_PROFILE", f'"{profile}"'), *macros],
)


def missing_tool():
    """What has to be installed before this can be built, in a sentence; None if nothing is missing."""
    if MSVC:
        return None  # setuptools finds and names Microsoft's compiler itself
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        install = "Debian: apt install gcc libc6-dev; macOS: xcode-select --install"
        return f"more_executors needs a C compiler to be built, and {compiler!r} is not there: install one ({install})"
    headers = Path(sysconfig.get_path("include"), "Python.h")
    if not headers.exists():
        install = "Debian: apt install python3-dev"
        return f"more_executors needs Python.h to be built, and {headers} is not there: install it ({install})"
    return None


class Build(build):
    """Says at once, and in its own words, what is missing."""

    def run(self):
        missing = missing_tool()
        if missing is not None:
            sys.exit(missing)
        super().run()


class BuildPackage(build_py):
    """Puts a stub beside each module that has none: see build_steps/make_stubs.py."""

    def build_module(self, module, module_file, package):
        built = super().build_module(module, module_file, package)
        if not Path(module_file).with_suffix(".pyi").exists():
            source = Path(module_file).read_text(encoding="utf-8")
            self._stub(package, module).write_text(stub_of(source, Path(module_file).as_posix()), encoding="utf-8")
        return built

    def get_outputs(self, include_bytecode=True):
        stubs = [str(self._stub(package, module)) for package, module, _ in self.find_all_modules()]
        return list(dict.fromkeys(super().get_outputs(include_bytecode) + stubs))

    def _stub(self, package, module):
        return Path(self.build_lib, *package.split("."), f"{module}.pyi")


def long_description():
    """What PyPI shows."""
    here = Path(__file__).parent
    readme, pyproject, version = (
        (here / name).read_text(encoding="utf-8")
        for name in ("README.md", "pyproject.toml", "more_executors/_version.py")
    )
    return readme_for_pypi(readme, pyproject, re.search(r'__version__ = "(.*)"', version)[1])


setup(
    long_description=long_description(),
    long_description_content_type="text/markdown",
    ext_modules=cythonize([core], compiler_directives=directives),
    cmdclass={"build": Build, "build_py": BuildPackage},
)
