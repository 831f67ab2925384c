/** The systems for which apps are named. */
type Platform = 'android' | 'ios' | 'linux' | 'macos' | 'windows';

/** Where an app can be had. */
interface AppSource {
  readonly label: string;
  readonly url: string;
}

/** An app for a platform, which knows invitations. */
interface ChatApp {
  readonly name: string;
  readonly sources: readonly AppSource[];
}

/** Apps for one platform. */
export interface PlatformApps {
  /** Its name for people. */
  readonly platform: string;
  readonly apps: readonly ChatApp[];
  /** Whether the page is shown on it. */
  readonly isHere: boolean;
  /** Whether it is that of phones and tablets. */
  readonly isMobile: boolean;
}

const appStore = (id: string) => ({ label: 'App Store', url: `https://apps.apple.com/app/id${id}` });
const fDroid = (id: string) => ({ label: 'F-Droid', url: `https://f-droid.org/packages/${id}/` });
const googlePlay = (id: string) => ({
  label: 'Google Play',
  url: `https://play.google.com/store/apps/details?id=${id}`,
});
const download = (url: string) => ({ label: 'Download', url });

const gajim = { name: 'Gajim', sources: [download('https://gajim.org/download/')] };
const monal = { name: 'Monal', sources: [appStore('317711500')] };

const platforms: Readonly<Record<Platform, { readonly name: string; readonly apps: readonly ChatApp[] }>> = {
  android: {
    name: 'Android',
    apps: [
      { name: 'Conversations', sources: [googlePlay('eu.siacs.conversations'), fDroid('eu.siacs.conversations')] },
      { name: 'Cheogram', sources: [googlePlay('com.cheogram.android.playstore'), fDroid('com.cheogram.android')] },
    ],
  },
  ios: { name: 'iPhone and iPad', apps: [monal, { name: 'Siskin IM', sources: [appStore('1153516838')] }] },
  linux: { name: 'Linux', apps: [gajim, { name: 'Dino', sources: [download('https://dino.im/#download')] }] },
  macos: { name: 'Mac', apps: [monal, { name: 'Beagle IM', sources: [appStore('1445349494')] }] },
  windows: { name: 'Windows', apps: [gajim] },
};

const order: readonly Platform[] = ['android', 'ios', 'windows', 'macos', 'linux'];
const mobile: ReadonlySet<Platform> = new Set(['android', 'ios']);

/** The apps for all platforms, those for the one of this browser first. Google Play passes `uri` on to the app when it is installed. */
export function appsFor(userAgent: string, uri: string | undefined): readonly PlatformApps[] {
  const here = platformOf(userAgent);
  const sorted = order.toSorted((one, other) => Number(other === here) - Number(one === here));
  return sorted.map((platform) => ({
    platform: platforms[platform].name,
    apps: platforms[platform].apps.map((app) => withReferrer(app, uri)),
    isHere: platform === here,
    isMobile: mobile.has(platform),
  }));
}

/** The platform of a browser, as far as it says. An iPad calls itself a Mac. */
function platformOf(userAgent: string): Platform | undefined {
  if (/Android/.test(userAgent)) return 'android';
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'ios';
  if (/Windows/.test(userAgent)) return 'windows';
  if (/Macintosh/.test(userAgent)) return 'macos';
  return /Linux|X11|CrOS/.test(userAgent) ? 'linux' : undefined;
}

function withReferrer({ name, sources }: ChatApp, uri: string | undefined): ChatApp {
  const referrer = uri === undefined ? '' : `&referrer=${encodeURIComponent(uri)}`;
  const isStore = (url: string) => url.startsWith('https://play.google.com/');
  return {
    name,
    sources: sources.map(({ label, url }) => ({ label, url: isStore(url) ? url + referrer : url })),
  };
}
