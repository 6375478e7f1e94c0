"""The target types that `triton_model()` creates, without rules."""

from __future__ import annotations

from pants.backend.python.target_types import (
    PythonSourcesGeneratingSourcesField,
    PythonSourcesGeneratorTarget,
    PythonSourcesOverridesField,
    PythonSourceTarget,
)
from pants.backend.python.typecheck.mypy.skip_field import SkipMyPyField
from pants.engine.fs import GlobMatchErrorBehavior
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    MultipleSourcesField,
    SpecialCasedDependencies,
    Target,
    TargetFilesGenerator,
)

# folders of a model that are not Triton model directories
NOT_MODEL_DIRECTORIES = ("!tests/**", "!training/**")


class WeightsSourcesField(MultipleSourcesField):
    # neither is served: no build has to fetch what weights were converted or folded from
    default = ("**/*.dvc", "!original/**", "!folded/**", *NOT_MODEL_DIRECTORIES)
    default_glob_match_error_behavior = GlobMatchErrorBehavior.ignore  # a model may have none
    uses_source_roots = False
    help = "The DVC pointers; the weights belong next to them."


class TritonWeightsTarget(Target):
    alias = "triton_weights"
    core_fields = (*COMMON_TARGET_FIELDS, Dependencies, WeightsSourcesField)
    help = "A model's weights: the bytes behind its DVC pointers."


class EnvironmentSourcesField(MultipleSourcesField):
    default = ("requirements.txt", "requirements.lock", "pruned.txt")
    uses_source_roots = False
    help = "The requirements of the Python models, and the lock that `slipway lock` writes."


class TritonEnvironmentTarget(Target):
    alias = "triton_environment"
    core_fields = (*COMMON_TARGET_FIELDS, Dependencies, EnvironmentSourcesField)
    help = "The execution environment of a model's Python models."


class SharedSourcesField(MultipleSourcesField):
    default = ("**/*", "!**/BUILD", "!tests/**")
    uses_source_roots = False
    help = "The files of a package, with its pyproject.toml."


class SharedPackageTarget(Target):
    alias = "shared_package"
    core_fields = (*COMMON_TARGET_FIELDS, Dependencies, SharedSourcesField)
    help = (
        "A package of the repository, libs/<name> with its pyproject.toml, that models name by path"
        " in requirements.txt. Its code and tests have targets of their own (`tailor`)."
    )


class ArtifactSourcesField(MultipleSourcesField):
    default = ("model_version.txt", "*/**", "!**/*.dvc", "!**/BUILD", *NOT_MODEL_DIRECTORIES)
    uses_source_roots = False
    help = "The release version and the Triton model directories, without the weights."


class ArtifactWeightsField(SpecialCasedDependencies):
    alias = "weights"
    help = "The `triton_weights` to pack."


class ArtifactEnvironmentField(SpecialCasedDependencies):
    alias = "environment"
    help = "The `triton_environment` to pack; without a lock in it, none is packed."


class TritonArtifactTarget(Target):
    alias = "triton_artifact"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        Dependencies,
        ArtifactSourcesField,
        ArtifactWeightsField,
        ArtifactEnvironmentField,
    )
    help = "`<name>_<version>.tar.gz`: what a multi-model endpoint loads."


class CheckedByDirectoryField(SkipMyPyField):
    # every Triton model directory has a `model.py`: one run of mypy would see duplicate modules
    default = True


class CodeSourcesField(PythonSourcesGeneratingSourcesField):
    default = ("**/*.py", "**/*.pyi", "!tests/test_*.py")


class TritonCodeFileTarget(Target):
    alias = "triton_code_file"
    core_fields = (*PythonSourceTarget.core_fields, CheckedByDirectoryField)
    help = "One Python file of a model."


class TritonCodeTarget(TargetFilesGenerator):
    alias = "triton_code"
    generated_target_cls = TritonCodeFileTarget
    core_fields = (
        *COMMON_TARGET_FIELDS,
        CodeSourcesField,
        PythonSourcesOverridesField,
        CheckedByDirectoryField,
    )
    copied_fields = (*COMMON_TARGET_FIELDS, CheckedByDirectoryField)
    moved_fields = PythonSourcesGeneratorTarget.moved_fields
    help = "A model's Python code: its Python models, their training, and helpers of its tests."


class CasesSourcesField(MultipleSourcesField):
    default = ("tests/**", "!**/*.py", "!**/BUILD")
    uses_source_roots = False
    help = "The golden cases, and other files next to the tests."


class TritonCasesTarget(Target):
    alias = "triton_cases"
    core_fields = (*COMMON_TARGET_FIELDS, Dependencies, CasesSourcesField)
    help = "The golden cases of a model; its tests depend on them without declaring it."


TARGET_TYPES = (
    SharedPackageTarget,
    TritonArtifactTarget,
    TritonCasesTarget,
    TritonCodeFileTarget,
    TritonCodeTarget,
    TritonEnvironmentTarget,
    TritonWeightsTarget,
)
