const token = '[\\w!#$&^.+-]+';
const pattern = new RegExp(`^\\s*(${token}/${token})\\s*(?:;|$)`);
const longestType = 127;

/** The media type of a file that nobody has named one for. */
export const unknownType = 'application/octet-stream';

/** Types that browsers show and never run. All others, such as SVG, HTML and PDF, are only offered for saving. */
const shownTypes: ReadonlySet<string> = new Set([
  ...['apng', 'avif', 'bmp', 'gif', 'heic', 'heif', 'jpeg', 'jxl', 'png', 'webp'].map((name) => `image/${name}`),
  ...['3gpp', 'aac', 'amr', 'flac', 'mp4', 'mpeg', 'ogg', 'opus', 'wav', 'webm', 'x-m4a', 'x-wav'].map(
    (name) => `audio/${name}`,
  ),
  ...['3gpp', 'mp4', 'mpeg', 'ogg', 'quicktime', 'webm', 'x-matroska'].map((name) => `video/${name}`),
]);

/** The type and subtype of a Content-Type in lower case, without parameters; undefined if it is not one (RFC 9110 §8.3.1). */
export function mediaType(text: string): string | undefined {
  const type = pattern.exec(text)?.[1]?.toLowerCase();
  return type !== undefined && type.length <= longestType ? type : undefined;
}

/** The headers with which a file is served: nothing in it can run in the reader's browser. */
export function contentHeaders(name: string, type: string): Readonly<Record<string, string>> {
  const isShown = shownTypes.has(type);
  return {
    'content-type': isShown ? type : unknownType,
    'content-disposition': `${isShown ? 'inline' : 'attachment'}; filename*=UTF-8''${extendedValue(name)}`,
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'cross-origin',
  };
}

/** A name as RFC 8187 §3.2.1 wants it in a header. */
function extendedValue(name: string): string {
  return encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
