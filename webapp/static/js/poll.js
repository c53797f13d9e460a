// Keeps a part of the page fresh: [data-poll-url] is fetched every 30 seconds with its ETag and replaced by the answer.
// Hidden tabs are quiet; a part that holds the focus is left alone until the focus has gone.

const SECONDS = 30;

export function poll(part) {
  const every = Number(part.dataset.pollSeconds || SECONDS) * 1000;
  let etag = part.dataset.pollEtag ?? "";
  let timer = null;

  async function look() {
    clearTimeout(timer);
    if (document.hidden) return;
    if (!part.contains(document.activeElement)) await refresh();
    if (part.isConnected) timer = setTimeout(look, every);
  }

  async function refresh() {
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const response = await fetch(part.dataset.pollUrl, { headers, credentials: "same-origin", cache: "no-store" });
      if (response.status !== 200 || response.redirected) return;
      const html = await response.text();
      if (part.contains(document.activeElement)) return;
      etag = response.headers.get("ETag") ?? "";
      part.innerHTML = html;
    } catch {
      // no network: the next round tries again
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
  timer = setTimeout(look, every);
}
