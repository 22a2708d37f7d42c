# SPDX-License-Identifier: MIT
"""Reads the public headers: which declarations there are, and which comment stands at each."""
import re

from checklib import files, line_of, read

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#(?:\\\n|[^\n])*',
                   re.DOTALL | re.MULTILINE)


class Declaration:
    """One declaration at file scope, the /** comment before it (or "") and the /**< comment after it (or "")."""

    def __init__(self, path, line, text, before, after):
        self.path, self.line, self.before, self.after = path, line, before, after
        self.text = " ".join(text.split())
        head = self.text.split("{")[0]
        self.is_inline = head.startswith("static inline")
        self.is_exported = "WEFT_API" in head.split()
        bare = re.sub(r"\b(WEFT_API|WEFT_NODISCARD|static|inline)\b|WEFT_PRINTF\s*\([^)]*\)", " ", head)
        self.head = " ".join(bare.split())
        function = re.match(r"(.*?)\b(\w+)\s*\(", self.head)
        self.name = self.result = None
        if (self.is_exported or self.is_inline) and function:
            self.result, self.name = function[1].strip(), function[2]
        elif self.is_exported:
            self.name = re.search(r"(\w+)\s*(\[[^]]*\]\s*)?;?$", self.head)[1]

    @property
    def is_function(self):
        return self.result is not None

    @property
    def type_name(self):
        """The name of the type that this declares, or None."""
        if self.is_exported or self.is_inline:
            return None
        function_type = re.match(r"typedef\b[^;{]*?\(?\*?\b(\w+)\)?\s*\([^;]*\)\s*;$", self.text)
        if function_type and "{" not in self.text:
            return function_type[1]
        if self.text.startswith("typedef"):
            return re.search(r"(\w+)\s*(\[[^]]*\])?\s*;$", self.text)[1]
        named = re.match(r"(?:struct|enum|union)\s+(\w+)\s*[{;]", self.text)
        return named[1] if named else None


def split_comments(text):
    """The text with comments, strings and preprocessor lines blanked, and the /** comments as (start, end, text)."""
    comments, blanked, position = [], [], 0
    for match in TOKEN.finditer(text):
        token = match[0]
        if token.startswith("/**"):
            comments.append((match.start(), match.end(), token))
        blanked += [text[position:match.start()], re.sub(r"[^\n]", " ", token)]
        position = match.end()
    blanked.append(text[position:])
    return "".join(blanked), comments


def statements(code):
    """(start, end) of every declaration at file scope."""
    code = re.sub(r"\bWEFT_(BEGIN|END)_DECLS\b", lambda match: " " * len(match[0]), code)
    start, depth = None, 0
    for offset, letter in enumerate(code):
        if letter.isspace():
            continue
        if start is None:
            start = offset
        if letter == "{":
            depth += 1
        elif letter == "}":
            depth -= 1
            # The body of a function ends its declaration; that of a type goes on to its semicolon.
            if depth == 0 and re.search(r"\)\s*\{", code[start:offset]):
                yield start, offset + 1
                start = None
        elif letter == ";" and depth == 0:
            yield start, offset + 1
            start = None


def declarations(path):
    text = read(path)
    code, comments = split_comments(text)
    found = []
    for start, end in statements(code):
        before = [body for _, stop, body in comments if stop <= start and not text[stop:start].strip()]
        after = [body for begin, _, body in comments
                 if begin >= end and body.startswith("/**<") and not text[end:begin].strip(" ")]
        found.append(Declaration(path, line_of(text, start), code[start:end],
                                 before[0] if before and not before[0].startswith("/**<") else "",
                                 after[0] if after else ""))
    return found


def public_declarations():
    for path in files(".h", under=("include", "adapters/include")):
        yield from declarations(path)
