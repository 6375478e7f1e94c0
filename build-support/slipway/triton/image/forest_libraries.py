"""The treelite in the FIL backend of each Triton release, which reads the files of forests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ForestLibrary:
    """Treelite ``version`` that reads models in FIL from Triton ``release`` on."""

    release: str
    version: str

    @property
    def major(self) -> int:
        """Return the major version, which a checkpoint must share."""
        return int(self.version.partition(".")[0])


# triton-inference-server/fil_backend, cmake/thirdparty/get_treelite.cmake of each branch
LIBRARIES = (
    ForestLibrary("23.01", "3.0.1"),
    ForestLibrary("23.06", "3.2.0"),
    ForestLibrary("23.11", "3.9.1"),
    ForestLibrary("24.03", "4.0.0"),
    ForestLibrary("24.05", "4.1.2"),
    ForestLibrary("24.09", "4.3.0"),
    ForestLibrary("24.11", "4.4.0"),
    ForestLibrary("25.01", "4.4.1"),
    ForestLibrary("26.01", "4.6.1"),
    ForestLibrary("26.06", "4.7.0"),
)
# the server's container ships without a library that FIL links to (Triton server, issue 8438)
BROKEN_RELEASES = {"25.08": "librapids_logger.so is missing (Triton server, issue 8438)"}
# `is_classifier` replaces `output_class`, which is still read (src/shared_state.h of each branch)
RENAMED_SINCE = "25.09"
# until is_classifier, FIL asks treelite 4 on CPUs for a function that it has no more, if the class
# of several is to be answered (src/tl_model.h; treelite, src/gtil/postprocessor.cc)
UNKNOWN_MAX_INDEX = "24.03"
# XGBoost 3.1 names categories in its files ("cats"), which treelite reads from 4.6 on; UBJSON is a
# type of FIL's since 24.10. Seen with each treelite's wheel and files of XGBoost 2.1 to 3.4
CATEGORY_NAMES_SINCE = "26.01"
UBJSON_SINCE = "24.10"
# contributions of several classes need one base score for all of them before it
# (src/cpu_treeshap_model.h)
VECTOR_BASE_SCORES_SINCE = "26.01"


def forest_library_of(release: str) -> ForestLibrary | None:
    """Return the treelite in a Triton release; ``None`` for one older than the table."""
    candidates = [library for library in LIBRARIES if library.release <= release]
    return candidates[-1] if candidates else None
