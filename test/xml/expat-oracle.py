"""What expat makes of documents.

Reads documents from standard input, each behind its length in four bytes, and answers each with JSON in the same
framing: null if it is refused, else whether it has what XMPP forbids, and its tree.
"""
import json
import struct
import sys
from xml.parsers import expat

SEPARATOR = "\x01"  # cannot stand in a document, so it cannot stand in a namespace


def expanded(name):
    ns, found, local = name.rpartition(SEPARATOR)
    return [ns if found else "", local]


def parse(document):
    parser = expat.ParserCreate("utf-8", SEPARATOR)
    parser.ordered_attributes = True
    parser.buffer_text = True
    root = []
    stack = [root]
    forbidden = []

    def start(name, attributes):
        pairs = zip(attributes[::2], attributes[1::2])
        element = [*expanded(name), sorted([*expanded(key), value] for key, value in pairs), []]
        stack[-1].append(element)
        stack.append(element[3])

    def end(_name):
        stack.pop()

    def text(data):
        children = stack[-1]
        if children and isinstance(children[-1], str):
            children[-1] += data
        else:
            children.append(data)

    def forbid(*_arguments):
        forbidden.append(True)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.CommentHandler = forbid
    parser.ProcessingInstructionHandler = forbid
    parser.StartDoctypeDeclHandler = forbid
    try:
        parser.Parse(document, True)
    except expat.ExpatError:
        return None
    return {"forbidden": bool(forbidden), "tree": root[0]}


def main():
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while True:
        prefix = stdin.read(4)
        if len(prefix) < 4:
            return
        document = stdin.read(struct.unpack(">I", prefix)[0])
        answer = json.dumps(parse(document)).encode("ascii")
        stdout.write(struct.pack(">I", len(answer)) + answer)
        stdout.flush()


main()
