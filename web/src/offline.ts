/**
 * Lets the page start without a network, once it was there. A browser that cannot do that shows the
 * page all the same.
 */

export function keepForOffline(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // It fetches every file, and the page that one waits for comes first.
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}

function register(): void {
  navigator.serviceWorker.register("./sw.js").catch(() => {
    // Private windows refuse, and so do addresses without TLS.
  });
}
