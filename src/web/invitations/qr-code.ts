import { encode } from 'uqr';
import { type Html, html } from '../html/html.ts';

/** The quiet zone around a code, in modules (ISO/IEC 18004 §6.3.8). */
const quietModules = 4;

/** A QR code as an image within a page. */
export function qrCode(text: string): Html {
  const { data, size } = encode(text, { ecc: 'M', border: quietModules });
  const path = data.flatMap(runsOf).join('');
  return html`<svg viewBox="0 0 ${size} ${size}" role="img" aria-label="QR code of this page" shape-rendering="crispEdges"><path fill="#000" d="${path}"/></svg>`;
}

/** The dark modules of a row, as rectangles that are one module high. */
function runsOf(row: readonly boolean[], y: number): string[] {
  const runs: string[] = [];
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue;
    const start = x;
    while (row[x + 1]) x++;
    const width = x + 1 - start;
    runs.push(`M${start} ${y}h${width}v1h-${width}z`);
  }
  return runs;
}
