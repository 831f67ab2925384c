/** The memory of the process. Reading it needs a file descriptor; without a free one, the most that it ever was. */
export function residentBytes(read: () => number = () => process.memoryUsage.rss()): number {
  try {
    return read();
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
