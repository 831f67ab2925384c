/** One line of a chart. */
interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

/** The values of a chart, at equal distances, the last one at `endMs`. */
interface Chart {
  readonly lines: readonly Line[];
  readonly stepMs: number;
  readonly endMs: number;
  /** The number of values that the chart has room for. */
  readonly room: number;
  readonly format: (value: number) => string;
  /** The factor between units, such as 1024 between KiB and MiB. */
  readonly unitFactor: number;
}

const svgNs = 'http://www.w3.org/2000/svg';
const height = 132;
/** The space for the labels of the axes. */
const left = 60;
const bottom = 20;
const top = 8;

/** Draws a chart into an element, in the place of what was there. */
export function drawChart(plot: HTMLElement, title: string, data: Chart): void {
  const width = Math.max(220, plot.clientWidth);
  const highest = niceMaximum(Math.max(0, ...data.lines.flatMap(({ values }) => values)), data.unitFactor);
  const x = (index: number) => left + (index * (width - left - 4)) / Math.max(1, data.room - 1);
  const y = (value: number) => top + (1 - value / highest) * (height - top - bottom);
  const svg = node('svg', {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'aria-label': summary(title, data),
  });
  for (const part of [0, 0.5, 1]) {
    svg.append(node('line', { class: 'grid', x1: left, x2: width - 4, y1: y(part * highest), y2: y(part * highest) }));
    svg.append(label(data.format(part * highest), left - 6, y(part * highest) + 4, 'end'));
  }
  for (const part of [0, 0.5, 1]) {
    const atMs = data.endMs - (1 - part) * (data.room - 1) * data.stepMs;
    svg.append(
      label(clockTime(atMs), x(part * (data.room - 1)), height - 4, ['start', 'middle', 'end'][part * 2] ?? ''),
    );
  }
  data.lines.forEach(({ values }, index) => {
    const first = data.room - values.length;
    const points = values.map((value, place) => `${x(first + place).toFixed(1)},${y(value).toFixed(1)}`);
    if (points.length === 0) return;
    if (index === 0) {
      const corners = [`${x(first).toFixed(1)},${y(0)}`, ...points, `${x(data.room - 1).toFixed(1)},${y(0)}`];
      svg.append(node('polygon', { class: 'area', points: corners.join(' ') }));
    }
    svg.append(node('polyline', { class: `line line-${index + 1}`, points: points.join(' ') }));
  });
  const rule = svg.appendChild(node('line', { class: 'rule', y1: top, y2: height - bottom, visibility: 'hidden' }));
  followPointer(plot, svg, rule, data, x);
  plot.replaceChildren(svg);
}

/** Shows the values under the pointer in the `<output>` of the figure, and the latest ones otherwise. */
function followPointer(
  plot: HTMLElement,
  svg: Element,
  rule: Element,
  data: Chart,
  x: (index: number) => number,
): void {
  const output = plot.closest('figure')?.querySelector('output');
  const show = (place: number | undefined) => {
    const values = data.lines.map(({ values: all }) =>
      all.at(place === undefined ? -1 : place - data.room + all.length),
    );
    const at = place === undefined ? '' : `${clockTime(data.endMs - (data.room - 1 - place) * data.stepMs)}  `;
    if (output)
      output.textContent = at + values.map((value) => (value === undefined ? '–' : data.format(value))).join(' / ');
    rule.setAttribute('visibility', place === undefined ? 'hidden' : 'visible');
    if (place !== undefined) for (const end of ['x1', 'x2']) rule.setAttribute(end, String(x(place)));
  };
  svg.addEventListener('pointermove', (event) => {
    const { left: start } = svg.getBoundingClientRect();
    const share = (event instanceof PointerEvent ? event.clientX - start - left : 0) / (x(data.room - 1) - left);
    const place = Math.round(share * (data.room - 1));
    const longest = Math.max(0, ...data.lines.map(({ values }) => values.length));
    show(place >= data.room - longest && place < data.room ? place : undefined);
  });
  svg.addEventListener('pointerleave', () => show(undefined));
  show(undefined);
}

/** What a chart shows, in words. */
function summary(title: string, { lines, format }: Chart): string {
  const parts = lines.map(({ name, values }) => {
    const [latest, most] = [values.at(-1) ?? 0, Math.max(0, ...values)];
    return `${name} ${format(latest)}, at most ${format(most)}`;
  });
  return `${title}: ${parts.join('; ')}`;
}

/** The first of 1, 2 and 5, times a power of ten and its unit, that is not below the value. */
function niceMaximum(value: number, unitFactor: number): number {
  if (value <= 0) return 1;
  const unit = unitFactor ** Math.max(0, Math.floor(Math.log(value) / Math.log(unitFactor)));
  const power = 10 ** Math.floor(Math.log10(value / unit));
  return unit * power * ([1, 2, 5, 10].find((factor) => factor * power >= value / unit) ?? 10);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

function clockTime(ms: number): string {
  return clock.format(ms);
}

function label(text: string, x: number, y: number, anchor: string): SVGElement {
  const element = node('text', { x, y, 'text-anchor': anchor });
  element.textContent = text;
  return element;
}

function node(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(svgNs, name) as SVGElement;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
