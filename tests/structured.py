"""Structured fields (RFC 9651), read as its section 4.2 says: an independent look at what Etage writes."""

import re

NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,3})?")
KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*")


class Reader:
    def __init__(self, text):
        self.text, self.at = text, 0

    def take(self, pattern):
        found = pattern.match(self.text, self.at)
        if not found:
            raise ValueError(f"not a structured field at {self.at}: {self.text!r}")
        self.at = found.end()
        return found.group()

    def looks_at(self, chars):
        return self.at < len(self.text) and self.text[self.at] in chars

    def skip(self, chars):
        while self.looks_at(chars):
            self.at += 1

    def bare_item(self):
        if self.looks_at('"'):
            return self.string()
        if self.looks_at("-0123456789"):
            digits = self.take(NUMBER)
            return float(digits) if "." in digits else int(digits)
        if self.looks_at("?"):
            return self.take(re.compile(r"\?[01]")) == "?1"
        if self.looks_at(":"):
            return self.take(re.compile(r":[A-Za-z0-9+/=]*:"))
        return self.take(TOKEN)

    def string(self):
        out, self.at = "", self.at + 1
        while not self.looks_at('"'):
            char = self.text[self.at:self.at + 1]
            if char == "\\":
                self.at += 1
                char = self.text[self.at:self.at + 1]
                if char not in ('"', "\\"):
                    raise ValueError(f"a wrong escape: {self.text!r}")
            elif not char or not " " <= char <= "~":
                raise ValueError(f"no end of a string, or no ASCII: {self.text!r}")
            out += char
            self.at += 1
        self.at += 1
        return out

    def parameters(self):
        out = {}
        while self.looks_at(";"):
            self.at += 1
            self.skip(" ")
            key = self.take(KEY)
            if self.looks_at("="):
                self.at += 1
                out[key] = self.bare_item()
            else:
                out[key] = True
        return out


def parse_list(text):
    """[(item, parameters)] of a List of Items; raises when the text is none."""
    reader, members = Reader(text.strip(" ")), []
    while True:
        members.append((reader.bare_item(), reader.parameters()))
        reader.skip(" \t")
        if reader.at == len(reader.text):
            return members
        reader.take(re.compile(","))
        reader.skip(" \t")
        if reader.at == len(reader.text):
            raise ValueError(f"a comma at the end: {text!r}")


def dictionary_of_items(text):
    """Parameters by item, for lists that name each item once."""
    members = parse_list(text)
    if len({item for item, _ in members}) != len(members):
        raise ValueError(f"an item twice: {text!r}")
    return dict(members)
