"""Names that a pickle of a fitted estimator uses, and that call nothing of their own.

A pickle may name any function of a package, ``sklearn.utils.os.system`` too. So names are allowed
one by one or by a pattern of classes, and never a whole package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

CLASS = r"_{0,2}[A-Z]\w*"
ALLOWED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(sklearn|xgboost|lightgbm|pandas)(\.\w+)*\.{CLASS}",
        # how Cython's classes are made again
        r"sklearn(\.\w+)*\.(newObj|__pyx_unpickle_\w+)",
        # scores and metrics that selectors and searches keep
        r"sklearn\.(metrics|feature_selection)(\.\w+)*\._?[a-z]\w*",
        r"numpy\.(core|_core)\.(multiarray\.(_reconstruct|scalar)|numeric\._frombuffer)",
        r"numpy\.(dtype|ndarray|bool_?|str_|bytes_|object_|u?int\d+|float\d+|complex\d+|datetime64)",
        r"numpy\.dtypes\.\w+DType",
        r"numpy\.random\.(_pickle\.__\w+_ctor|_mt19937\.MT19937|_pcg64\.PCG64)",
        r"numpy\.ma\.core\.(MaskedArray|_mareconstruct)",
        r"numpy\.(log|log1p|log2|log10|exp|expm1|sqrt|cbrt|square|abs|absolute|sin|cos|tanh)",
        r"scipy\.sparse\._?\w+\.(csr|csc|coo)_(matrix|array)",
        r"scipy\.interpolate\._\w+\.[A-Z]\w*",
        r"joblib\.numpy_pickle\.NumpyArrayWrapper",
        r"collections\.(OrderedDict|defaultdict|Counter|deque)",
        r"(builtins|__builtin__)\.(object|set|frozenset|bytes|bytearray|complex|slice|x?range|"
        r"dict|list|tuple|int|float|bool|str)",
        r"copy_?reg\._reconstructor",
        r"_codecs\.encode",
        r"functools\.partial",
        r"datetime\.\w+",
    )
)


def unknown_names(names: Iterable[str], trusted: frozenset[str]) -> tuple[str, ...]:
    """Return the names that are neither of a fitted estimator nor trusted by the user, sorted."""
    return tuple(
        sorted(
            name
            for name in set(names) - trusted
            if not any(pattern.fullmatch(name) for pattern in ALLOWED)
        )
    )


def trusted_names(settings: Mapping[str, str]) -> frozenset[str]:
    """Return what ``--set trusted=a.B,c.D`` allows."""
    return frozenset(
        filter(None, (name.strip() for name in settings.get("trusted", "").split(",")))
    )
