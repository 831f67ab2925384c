import { nameByte, nonAscii } from './char-class.ts';
import { malformed, restricted } from './xml-error.ts';

const cdataOpening = Buffer.from('<![CDATA[');
const xmlTarget = Buffer.from('xml');
const hyphen = 0x2d;
const capitalD = 0x44;
const lowerCaseBit = 0x20;

/** Checks the byte at `index` of a token that begins with `<!`; true at the last one of `<![CDATA[` (RFC 6120 §11.1). */
export function opensCdata(byte: number, index: number): boolean {
  if (index === 2 && byte === hyphen) restricted('a comment');
  if (index === 2 && byte === capitalD) restricted('a document type declaration');
  if (byte !== cdataOpening[index]) malformed("'<!' does not start valid markup");
  return index === cdataOpening.length - 1;
}

/** Checks the byte at `index` of a token that begins with `<?`; true after `<?xml` (RFC 6120 §11.1). */
export function opensDeclaration(byte: number, index: number): boolean {
  const isName = nameByte[byte] === 1 || byte >= nonAscii;
  if (index === 2 && !isName) malformed("'<?' does not start valid markup");
  const letter = xmlTarget[index - 2];
  if (letter === undefined ? isName : (byte | lowerCaseBit) !== letter) restricted('a processing instruction');
  return letter === undefined;
}
