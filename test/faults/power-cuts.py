#!/usr/bin/env python3
"""Rebuilds from a log of system calls what a power cut would leave of a database, at every acknowledgment that a server sent.

    strace -f -xx -s 70000 -e trace=openat,pwrite64,write,writev,sendmsg,ftruncate,fsync,fdatasync -o LOG SERVER
    power-cuts.py LOG --db NAME --query SQL

At every `<a ... h="N"/>` on its way out, the files are rebuilt twice: without anything written since the last sync of each file, and
with a random half of that. Each image is opened with SQLite, checked, and asked how much it holds, which must be N or more.
Prints one line of JSON: cuts, lost, corrupt, and the first failure."""
import argparse, json, os, random, re, shutil, sqlite3, sys, tempfile

arguments = argparse.ArgumentParser()
arguments.add_argument('log')
arguments.add_argument('--db', required=True)
arguments.add_argument('--query', required=True)
options = arguments.parse_args()

HEX = re.compile(r'\\x([0-9a-f]{2})')
QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
ACK = re.compile(rb'<a [^>]*h="(\d+)"[^>]*/>')
files = {options.db, options.db + '-wal'}
names, durable, pending, unfinished = {}, {}, {}, {}
random.seed(1)
outcome = {'cuts': 0, 'lost': 0, 'corrupt': 0, 'first': ''}


def unhex(text):
    return bytes(int(byte, 16) for byte in HEX.findall(text))


def apply(image, change):
    name, offset, data = change
    content = image.setdefault(name, bytearray())
    if data is None:
        del content[offset:]
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    if data is not None:
        content[offset:offset + len(data)] = data


def cut(acknowledged):
    for torn in (False, True):
        image = {name: bytearray(content) for name, content in durable.items()}
        if torn:
            for changes in pending.values():
                for change in changes:
                    if random.random() < 0.5:
                        apply(image, change)
        directory = tempfile.mkdtemp(prefix='power-cut-')
        for name, content in image.items():
            with open(os.path.join(directory, name), 'wb') as file:
                file.write(content)
        try:
            connection = sqlite3.connect(os.path.join(directory, options.db))
            sound = connection.execute('pragma integrity_check').fetchone()[0]
            held = connection.execute(options.query).fetchone()[0] or 0
            connection.close()
        except sqlite3.Error as error:
            sound, held = str(error), 0
        shutil.rmtree(directory)
        outcome['cuts'] += 1
        if held < acknowledged:
            outcome['lost'] += 1
            outcome['first'] = outcome['first'] or 'acknowledged %d, held %d' % (acknowledged, held)
        if sound != 'ok':
            outcome['corrupt'] += 1
            outcome['first'] = outcome['first'] or sound


def complete(call):
    match = re.match(r'openat\(.*?, "((?:\\x[0-9a-f]{2})+)", ([A-Z_|]+).*\) = (\d+)', call)
    if match:
        names[match[3]] = os.path.basename(unhex(match[1]).decode('utf8', 'replace'))
        return
    match = re.match(r'pwrite64\((\d+), "(.*)", \d+, (\d+)\)\s*= (\d+)', call)
    if match and names.get(match[1]) in files:
        name = names[match[1]]
        pending.setdefault(name, []).append((name, int(match[3]), unhex(match[2])[:int(match[4])]))
        return
    match = re.match(r'ftruncate\((\d+), (\d+)\)\s*= 0', call)
    if match and names.get(match[1]) in files:
        name = names[match[1]]
        pending.setdefault(name, []).append((name, int(match[2]), None))
        return
    match = re.match(r'f(?:data)?sync\((\d+)\)\s*= 0', call)
    if match:
        for change in pending.pop(names.get(match[1]), []):
            apply(durable, change)


def leaves(call):
    """Bytes sent to a client: they may have left from the moment the call begins."""
    if not re.match(r'(?:write|writev|sendmsg)\(', call):
        return
    data = b''.join(unhex(text) for text in QUOTED.findall(call))
    if b'urn:xmpp:sm:3' in data:
        for h in ACK.findall(data):
            if int(h) > 0:
                cut(int(h))


with open(options.log, encoding='latin1') as log:
    for line in log:
        match = re.match(r'(\d+)\s+(.*)', line.rstrip('\n'))
        if not match:
            continue
        thread, call = match.groups()
        resumed = re.match(r'<\.\.\. \w+ resumed>(.*)', call)
        if resumed:
            complete(unfinished.pop(thread, '') + resumed[1])
        elif call.endswith('<unfinished ...>'):
            begun = call[:-len('<unfinished ...>')].rstrip()
            leaves(begun)
            unfinished[thread] = begun
        else:
            leaves(call)
            complete(call)
json.dump(outcome, sys.stdout)
