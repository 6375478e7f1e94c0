# Pants reads this file before any BUILD file: `triton_model` is defined in all of them.


def triton_model(artifact={}, **fields):
    """A Triton model repository: `models/<name>/`, the folder of the BUILD file.

    Usually called without arguments. It makes the model's parts addressable:

      :artifact     what an endpoint loads, for `package`, `publish` and `run`
      :weights      the bytes behind the DVC pointers (`package` it by its address)
      :environment  the Python models' execution environment (`package` it by its address)
      :code         the Python sources, for `fmt`, `lint` and `check`
      :cases        the golden cases of tests/

    `python_tests()` after it, in the same file, runs tests/test_*.py on the artifact.

    `artifact` is a dictionary of fields of the artifact's target; other keyword arguments, such as
    `tags` or `description`, go to every part.
    """
    __defaults__(
        {
            # Files with the same tag share a process, and therefore a server.
            python_tests: {
                "batch_compatibility_tag": str(build_file_dir()),
                "sources": ["tests/test_*.py"],
            }
        },
        extend=True,
    )
    triton_weights(name="weights", **fields)
    triton_environment(name="environment", **fields)
    triton_code(name="code", **fields)
    triton_cases(name="cases", **fields)
    triton_artifact(
        name="artifact",
        **{"weights": [":weights"], "environment": [":environment"], **fields, **artifact},
    )
