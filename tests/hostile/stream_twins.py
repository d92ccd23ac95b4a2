"""Readers that are sloppy on purpose, each as some real server is or was (HTTP-Garden). What Etage forwards must mean the
same to all of them: the same number of requests, the same targets, contents of the same length."""

import dataclasses
import re

WHITE = b" \t\x0b\x0c\r"


@dataclasses.dataclass
class Twin:
    name: str
    length_first: bool = False      # Content-Length wins over Transfer-Encoding
    chunked_if: object = None       # what a Transfer-Encoding must be, to mean chunked
    lone_lf: bool = False           # a line ends with LF, CR before it or not
    joins_folds: bool = False
    cuts_at_nul: bool = False
    underscore_is_dash: bool = False
    strips_names: bool = False      # whitespace around a field name is nothing
    loose_numbers: bool = False     # strtol: leading blanks, signs, 0x; stops where it does not understand
    last_wins: bool = False         # of two Content-Length

    def number(self, text, base):
        if self.loose_numbers:
            found = re.match(rb"[ \t\x0b\x0c]*([+-]?)(?:0[xX](?=[0-9a-fA-F]))?([0-9a-fA-F]*)" if base == 16 else
                             rb"[ \t\x0b\x0c]*([+-]?)()([0-9]*)", text)
            digits = found[found.lastindex]
            return int(digits, base) if digits else 0
        text = text.strip(b" \t").split(b";")[0].strip(b" \t")
        return int(text, base) if re.fullmatch(rb"[0-9a-fA-F]+" if base == 16 else rb"[0-9]+", text) else None

    def line(self, octets, at):
        """(line, where the next begins); None while there is no end."""
        end = octets.find(b"\n" if self.lone_lf else b"\r\n", at)
        if end < 0:
            return None
        if self.lone_lf:
            return octets[at:end].removesuffix(b"\r"), end + 1
        return octets[at:end], end + 2

    def head(self, octets, at):
        lines = []
        while True:
            found = self.line(octets, at)
            if found is None:
                return None
            line, at = found
            if not line:
                return (lines, at) if lines else self.head(octets, at)  # an empty line in front is skipped
            if self.cuts_at_nul:
                line = line.split(b"\0")[0]
            if self.joins_folds and lines and line[:1] in (b" ", b"\t"):
                lines[-1] += b" " + line.strip(b" \t")
            else:
                lines.append(line)

    def fields(self, lines):
        for line in lines:
            name, _, value = line.partition(b":")
            name = name.lower()
            if self.underscore_is_dash:
                name = name.replace(b"_", b"-")
            if self.strips_names:
                name = name.strip(WHITE)
            yield name, value.strip(WHITE)

    def framing(self, lines):
        lengths = [v for n, v in self.fields(lines) if n == b"content-length"]
        codings = [v.lower() for n, v in self.fields(lines) if n == b"transfer-encoding"]
        chunked = any((self.chunked_if or (lambda c: c == b"chunked"))(c) for c in codings)
        length = self.number(lengths[-1 if self.last_wins else 0], 10) if lengths else None
        if chunked and not (self.length_first and length is not None):
            return "chunked", 0
        return "length", length or 0

    def chunks(self, octets, at):
        total = 0
        while True:
            found = self.line(octets, at)
            if found is None:
                return None
            line, at = found
            size = self.number(line, 16)
            if size is None:
                return None
            if size == 0:
                while True:  # trailers
                    found = self.line(octets, at)
                    if found is None:
                        return None
                    line, at = found
                    if not line:
                        return total, at
            if len(octets) < at + size:
                return None
            total, at = total + size, at + size
            found = self.line(octets, at)
            if found is None:
                return None
            at = found[1]

    def read(self, octets):
        """[(target, length of the content)] of all complete requests, and how many octets are left behind them."""
        out, at = [], 0
        while True:
            begin = at
            found = self.head(octets, at)
            if found is None:
                return out, len(octets) - begin
            lines, at = found
            words = lines[0].split()
            how, length = self.framing(lines[1:])
            if how == "chunked":
                content = self.chunks(octets, at)
                if content is None:
                    return out, len(octets) - begin
                length, at = content
            elif len(octets) < at + length:
                return out, len(octets) - begin
            else:
                at += length
            out.append((words[1] if len(words) > 1 else b"", length))


TWINS = [
    Twin("Content-Length first", length_first=True),
    Twin("Transfer-Encoding first"),
    Twin("chunked somewhere in it", chunked_if=lambda c: b"chunked" in c),
    Twin("any coding is chunked", chunked_if=lambda c: True),
    Twin("chunked last", chunked_if=lambda c: c.endswith(b"chunked")),
    Twin("lines end with LF", lone_lf=True),
    Twin("joins folds", joins_folds=True),
    Twin("strtol", loose_numbers=True),
    Twin("underscore is dash", underscore_is_dash=True),
    Twin("stops at NUL", cuts_at_nul=True),
    Twin("blank names", strips_names=True, lone_lf=True),
    Twin("last length wins", last_wins=True, length_first=True),
    Twin("all of it", chunked_if=lambda c: b"chunked" in c, lone_lf=True, joins_folds=True, cuts_at_nul=True,
         underscore_is_dash=True, strips_names=True, loose_numbers=True),
]


def who_differs(octets, requests, left):
    """Twins that understand `octets` differently: `requests` is [(target, length of content)], `left` what is behind them."""
    meant = (requests, left)
    return [f"{twin.name} reads {twin.read(octets)}, not {meant}" for twin in TWINS if twin.read(octets) != meant]
