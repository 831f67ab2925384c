/** What the server tells of, as in `src/web/watch/watcher.ts`. */
type Item =
  | ({ readonly what: 'stanza' } & Readonly<Record<'at' | 'direction' | 'via' | 'peer' | 'kind' | 'content', string>> &
      Readonly<Partial<Record<'type' | 'id' | 'from' | 'to', string>>> & { readonly bytes: number })
  | { readonly what: 'log'; readonly line: string }
  | { readonly what: 'lost'; readonly items: number }
  | { readonly what: 'end'; readonly reason: string };

/** The lines that the page keeps. */
const mostLines = 500;

const form = element('watch', HTMLFormElement);
const lines = element('lines', HTMLOListElement);
const state = element('state', HTMLOutputElement);
const button = form.querySelector('button');
let source: EventSource | undefined;
let waiting: HTMLLIElement[] = [];

function element<E extends HTMLElement>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${id}`);
}

function start(): void {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form))
    if (typeof value === 'string' && value !== '') query.append(name, value);
  source = new EventSource(`/console/watch/stream?${query}`);
  source.onopen = () => tell('Watching.', 'Stop');
  source.onerror = () => stop('The watch has ended: the connection is lost, or the server has refused it.');
  source.onmessage = ({ data }) => take(JSON.parse(String(data)));
  tell('Connecting …', 'Stop');
}

function stop(reason: string): void {
  source?.close();
  source = undefined;
  tell(reason, 'Start');
}

function tell(text: string, action: string): void {
  state.textContent = text;
  if (button) button.textContent = action;
}

function take(item: Item): void {
  if (item.what === 'end') stop(endText(item.reason));
  if (waiting.length === 0) requestAnimationFrame(showWaiting);
  waiting.push(line(item));
}

/** Adds what has come since the last frame. The list follows its end unless somebody has scrolled away from it. */
function showWaiting(): void {
  const view = lines.parentElement;
  const atEnd = !view || view.scrollHeight - view.scrollTop - view.clientHeight < 40;
  lines.append(...waiting.slice(-mostLines));
  waiting = [];
  while (lines.childElementCount > mostLines) lines.firstElementChild?.remove();
  if (view && atEnd) view.scrollTop = view.scrollHeight;
}

function endText(reason: string): string {
  return `The watch has ended: ${reason.replace(/\.$/, '')}.`;
}

function line(item: Item): HTMLLIElement {
  const made = document.createElement('li');
  made.className = item.what;
  switch (item.what) {
    case 'stanza': {
      const { at, direction, via, peer, kind, type, id, from, to, bytes, content } = item;
      part(made, 'time', clockTime(at));
      part(made, 'kind', [kind, type].filter(Boolean).join(' '));
      part(made, 'peer', `${via} ${peer} ${direction === 'in' ? '→' : '←'}`);
      part(
        made,
        'ends',
        [from && `from ${from}`, to && `to ${to}`, id && `id ${id}`, `${bytes} bytes`].filter(Boolean).join('  '),
      );
      if (content !== '') part(made, 'content', content);
      break;
    }
    case 'log':
      logParts(made, item.line);
      break;
    case 'lost':
      part(made, 'ends', `${item.items} more are not shown: there was too much at once.`);
      break;
    case 'end':
      part(made, 'ends', endText(item.reason));
  }
  return made;
}

const levels: Readonly<Record<string, string>> = { 20: 'debug', 30: 'info', 40: 'warning', 50: 'error' };

/** A line of the log: its time, level and message, then its fields. */
function logParts(made: HTMLLIElement, text: string): void {
  const { level, time, msg, ...fields }: Readonly<Record<string, unknown>> = JSON.parse(text);
  const name = levels[String(level)] ?? 'log';
  made.classList.add(name);
  part(made, 'time', clockTime(String(time)));
  part(made, 'kind', name);
  part(made, 'ends', String(msg));
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  if (rest.length > 0) part(made, 'content', rest.join(' '));
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});

function clockTime(at: string): string {
  const moment = new Date(at);
  return Number.isNaN(moment.getTime()) ? '' : clock.format(moment);
}

function part(parent: HTMLElement, name: string, text: string): void {
  const made = document.createElement('span');
  made.className = name;
  made.textContent = text;
  parent.append(made, ' ');
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (source) stop('Stopped.');
  else start();
});
document.getElementById('clear')?.addEventListener('click', () => lines.replaceChildren());
