# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit configuration of test/{dialect,passes,tools,e2e}."""

import os
import sys

import lit.formats
from lit.llvm import llvm_config
from lit.llvm.subst import ToolSubst

sys.path.insert(0, os.path.dirname(__file__))
import capabilities

config.name = "lori"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".py"]
config.excludes = ["Inputs", "data", "unit", "fuzz", "bench", "lit.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.lori_binary_dir, "test")

# Ours first, so that no installed program of the same name is tested.
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
llvm_config.with_environment("PATH", config.lori_tools_dir, append_path=True)
llvm_config.with_system_environment(
    ["HOME", "TMPDIR", "LORI_SHARED", "LORI_SMOLLM2", "ASAN_OPTIONS", "UBSAN_OPTIONS"]
)
llvm_config.with_environment("FILECHECK_OPTS", "-enable-var-scope --dump-input-filter=error")

# With LORI_ROUNDTRIP=1 each run of lori-opt also prints its input, parses that
# again and compares: the whole suite becomes a test of the textual form.
roundtrip = os.environ.get("LORI_ROUNDTRIP") == "1"
llvm_config.add_tool_substitutions(
    [
        ToolSubst(
            "lori-opt",
            extra_args=["--verify-roundtrip"] if roundtrip else [],
            unresolved="fatal",
        )
    ],
    [config.lori_tools_dir],
)

config.available_features.update(capabilities.available())
if config.lori_sanitizers:
    config.available_features.add("sanitizers")

config.substitutions += [
    # The shared programs of tests, before the interpreter they run in.
    ("%tiny-model", f"{config.lori_python} {config.test_source_root}/tiny_model.py"),
    ("%exits", f"{config.lori_python} {config.test_source_root}/expect_status.py"),
    ("%cc", config.lori_c_compiler),
    ("%source", config.lori_source_dir),
    ("%python", config.lori_python),
    ("%bin", config.lori_tools_dir),
    ("%data", os.path.join(config.test_source_root, "data")),
    ("%shared", str(capabilities.shared_dir() or "no-shared-folder")),
    ("%smollm2", str(capabilities.smollm2_gguf() or "no-smollm2-gguf")),
]
