import { createReadStream } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { PortableFormatError } from './document-parser.ts';
import { type Depth, PortableDocument, type PortableEvent } from './portable-document.ts';

/** A document and the directory for its relative includes. */
interface Source {
  readonly name: string;
  readonly directory: string;
  readonly input: Readable;
}

/** The pieces of a document and of the documents it includes (XEP-0227 §5), in order. */
export async function* portableEvents(
  source: Source,
  top = source.directory,
  depth: Depth = 0,
): AsyncGenerator<PortableEvent> {
  const document = new PortableDocument(depth);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of source.input) {
      yield* expanded(document.push(decoder.decode(chunk, { stream: true })), source, top);
    }
    yield* expanded([...document.push(decoder.decode()), ...document.end()], source, top);
  } catch (error) {
    throw located(error, source.name);
  }
}

async function* expanded(events: readonly PortableEvent[], source: Source, top: string): AsyncGenerator<PortableEvent> {
  for (const event of events) {
    if (event.kind !== 'include') yield event;
    else yield* portableEvents(included(event.href, source.directory, top), top, event.depth);
  }
}

/** Opens an included document. Throws for a URI that is not relative or leaves the directory of the first document. */
function included(href: string | undefined, directory: string, top: string): Source {
  if (!href || /^[a-z][a-z\d+.-]*:|^\/|[?#]/i.test(href)) {
    throw new PortableFormatError(`includes ${JSON.stringify(href ?? '')}, which is not a relative path`);
  }
  const name = resolve(directory, decodeURIComponent(href));
  if (relative(top, name).split(sep)[0] === '..') {
    throw new PortableFormatError(`includes ${name}, which is outside ${top}`);
  }
  return { name, directory: dirname(name), input: createReadStream(name) };
}

function located(error: unknown, name: string): unknown {
  if (error instanceof Located) return error;
  if (error instanceof PortableFormatError) return new Located(`${name}: ${error.message}`);
  if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return new Located(`${name}: is not UTF-8 text`);
  }
  return error;
}

/** A format error that names the file. */
class Located extends PortableFormatError {}
