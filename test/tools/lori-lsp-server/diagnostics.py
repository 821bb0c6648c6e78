# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The language server knows our dialects, and reports a mistake in them."""
# RUN: %python %s %bin/lori-lsp-server

import json
import subprocess
import sys

WRONG = """\
lori.param @w : tensor<4x8xf16> from <"base", "w", []>
func.func @f() -> tensor<4x4xf16> {
  %w = lori.get_param @w : tensor<4x4xf16>
  return %w : tensor<4x4xf16>
}
"""
URI = "test:///model.mlir"


def frame(method, params, number=None):
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    if number is not None:
        message["id"] = number
    text = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(text) + text


def messages(data):
    """Yields the messages of a byte stream."""
    while data:
        head, data = data.split(b"\r\n\r\n", 1)
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n"))
        length = int(fields[b"Content-Length"])
        yield json.loads(data[:length])
        data = data[length:]


def talk(text):
    document = {"uri": URI, "languageId": "mlir", "version": 1, "text": text}
    sent = [
        frame("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, 0),
        frame("textDocument/didOpen", {"textDocument": document}),
        frame("shutdown", None, 1),
        frame("exit", None),
    ]
    server = subprocess.run([sys.argv[1]], input=b"".join(sent), capture_output=True, timeout=60)
    assert server.returncode == 0, server.stderr.decode()
    answers = list(messages(server.stdout))
    assert any("capabilities" in (answer.get("result") or {}) for answer in answers), answers
    return [diagnostic for answer in answers
            if answer.get("method") == "textDocument/publishDiagnostics"
            and answer["params"]["uri"] == URI
            for diagnostic in answer["params"]["diagnostics"]]


(found,) = talk(WRONG)
assert "expected a result of type 'tensor<4x8xf16>'" in found["message"], found
assert found["range"]["start"]["line"] == 2, found
assert talk(WRONG.replace("4x4", "4x8")) == []
