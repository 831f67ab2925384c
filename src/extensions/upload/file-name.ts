/** Bytes of a name in UTF-8. */
const longestName = 200;
/** Longer ends of a name are not extensions. */
const longestExtension = 20;

/**
 * The name under which a file is offered: without directories, control characters and signs that change the direction of text, and cut to
 * 200 bytes before its extension. It names nothing on the disk of the server.
 */
export function fileName(wanted: string): string {
  const last = wanted.toWellFormed().replace(/^.*[/\\]/s, '');
  const plain = last.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '').trim();
  const cut = shortened(plain);
  return /^\.*$/.test(cut) ? 'file' : cut;
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= longestName) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= longestExtension ? name.slice(dot) : '';
  let rest = longestName - Buffer.byteLength(extension);
  let start = '';
  for (const character of name) {
    rest -= Buffer.byteLength(character);
    if (rest < 0) break;
    start += character;
  }
  return start + extension;
}
