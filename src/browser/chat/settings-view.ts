import type { Client } from './client.ts';
import { ask, showDialog } from './dialogs.ts';
import { h, iconButton, setText } from './dom.ts';
import type { Notifications } from './notifications.ts';
import type { KnownDevice, OwnAccount } from './own-account.ts';
import { pngOf } from './png.ts';
import { avatar } from './sidebar.ts';
import { nameOf } from './state.ts';

/** Dependencies of the settings. */
interface SettingsDeps {
  readonly client: Client;
  readonly notifications: Notifications;
  readonly logOut: () => void;
}

/** Shows the settings of the user in a dialog. */
export function showSettings(deps: SettingsDeps): void {
  const problem = h('p', { class: 'notice', role: 'alert', hidden: true });
  /** Does something and tells the user if it fails. */
  const run = async (action: () => Promise<void>) => {
    problem.hidden = true;
    try {
      await action();
    } catch (error) {
      setText(problem, error instanceof Error ? error.message : String(error));
      problem.hidden = false;
    }
  };
  const account = deps.client.account;
  const dialog: HTMLDialogElement = h(
    'dialog',
    { class: 'settings', 'aria-labelledby': 'settings-title' },
    h(
      'header',
      {},
      h('h2', { id: 'settings-title' }, 'Settings'),
      iconButton('close', 'Close', () => dialog.close()),
    ),
    problem,
    profile(deps.client, account, run),
    notificationChoice(deps.notifications),
    devices(account, run, () => {
      dialog.close();
      deps.logOut();
    }),
    h(
      'section',
      {},
      h('h3', {}, 'Password'),
      h('button', { class: 'second small', on: { click: () => askForPassword(account) } }, 'Change the password'),
    ),
  );
  showDialog(dialog);
}

type Run = (action: () => Promise<void>) => Promise<void>;

/** The name and the picture that others see. */
function profile(client: Client, account: OwnAccount, run: Run): HTMLElement {
  const { me, names } = client.state;
  const name = h('input', {
    id: 'own-name',
    value: names.get(me) ?? '',
    maxlength: '60',
    autocomplete: 'nickname',
    placeholder: nameOf({ ...client.state, me: '' }, me),
  });
  const button = h('button', { class: 'second' }, 'Save');
  name.addEventListener('input', () => setText(button, 'Save'));
  const save = async () => {
    await account.setName(name.value.trim());
    setText(button, 'Saved');
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void run(save);
  };
  return h(
    'section',
    { class: 'profile' },
    ...pictureChoice(client, account, run),
    h(
      'form',
      { on: { submit } },
      h('label', { for: 'own-name' }, 'Name'),
      h('div', { class: 'beside' }, name, button),
      h('small', {}, 'Contacts see this name and the picture.'),
    ),
  );
}

/** The picture of the user, and the buttons that change it. */
function pictureChoice({ state, pictures }: Client, account: OwnAccount, run: Run): HTMLElement[] {
  const { me, names } = state;
  const place = h('span', { class: 'picture-place' });
  const file = h('input', { type: 'file', accept: 'image/*', hidden: true });
  const remove = async () => {
    await account.setPicture(undefined);
    show(undefined);
  };
  const removeButton = h('button', { class: 'second small', on: { click: () => void run(remove) } }, 'Remove');
  const show = (picture: string | undefined) => {
    place.replaceChildren(avatar({ name: names.get(me) ?? me, jid: me, picture }));
    removeButton.hidden = picture === undefined;
  };
  const choose = async () => {
    const [chosen] = file.files ?? [];
    file.value = '';
    if (!chosen) return;
    const picture = await pngOf(chosen);
    await account.setPicture(picture);
    show(URL.createObjectURL(new Blob([picture.bytes])));
  };
  file.addEventListener('change', () => void run(choose));
  show(pictures.of(me));
  const chooseButton = h('button', { class: 'second small', on: { click: () => file.click() } }, 'Choose a picture');
  return [place, h('div', {}, chooseButton, removeButton, file)];
}

const notificationHints = {
  on: 'You are notified while you do not look at this page.',
  off: 'You are notified while you do not look at this page.',
  blocked: 'Your browser blocks notifications from this page.',
  missing: 'Your browser has no notifications.',
} as const;

function notificationChoice(notifications: Notifications): HTMLElement {
  const box = h('input', { type: 'checkbox', id: 'notify' });
  const hint = h('small');
  const show = () => {
    const { state } = notifications;
    box.checked = state === 'on';
    box.disabled = state === 'blocked' || state === 'missing';
    setText(hint, notificationHints[state]);
  };
  box.addEventListener('change', () => void notifications.turn(box.checked).then(show));
  show();
  return h(
    'section',
    {},
    h('h3', {}, 'Notifications'),
    h('p', { class: 'choice' }, box, h('label', { for: 'notify' }, 'Notify me of new messages')),
    hint,
  );
}

/** The devices with access to the account. */
function devices(account: OwnAccount, run: Run, logOut: () => void): HTMLElement {
  const list = h('ul', { class: 'devices' });
  const show = async () => {
    const known = await account.devices();
    list.replaceChildren(
      ...known.map((device) => deviceView(device, () => void run(() => account.revoke(device).then(show)))),
    );
  };
  const everywhere = async () => {
    await account.revokeOthers();
    logOut();
  };
  void run(show);
  return h(
    'section',
    {},
    h('h3', {}, 'Devices'),
    list,
    h('button', { class: 'second small', on: { click: () => void run(everywhere) } }, 'Log out everywhere'),
    h('small', {}, 'A device that knows your password can log in again. Change the password to keep it out.'),
  );
}

function deviceView(device: KnownDevice, revoke: () => void): HTMLElement {
  const { name, isThis, isConnected, lastSeenMs } = device;
  const seen = isConnected ? 'online' : `last seen ${agoText(lastSeenMs, Date.now())}`;
  return h(
    'li',
    {},
    h('span', {}, h('strong', {}, name), h('small', {}, isThis ? 'this tab' : seen)),
    !isThis &&
      h(
        'button',
        { class: 'second small', on: { click: revoke } },
        'Log out',
        h('span', { class: 'spoken' }, ` ${name}`),
      ),
  );
}

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** How long ago a moment was, in words. */
function agoText(atMs: number, nowMs: number): string {
  const [unit, lengthMs] = units.find(([, lengthMs]) => nowMs - atMs >= lengthMs) ?? units[2];
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  return format.format(-Math.floor((nowMs - atMs) / lengthMs), unit);
}

function askForPassword(account: OwnAccount): void {
  ask({
    title: 'Change the password',
    fields: [
      { name: 'password', label: 'New password', isPassword: true, hint: 'All other devices are logged out.' },
      { name: 'again', label: 'New password, again', isPassword: true },
    ],
    verb: 'Change',
    answer: async ({ password = '', again }) => {
      if (password !== again) throw new Error('The two passwords are not the same.');
      await account.changePassword(password);
    },
  });
}
