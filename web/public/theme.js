// Runs before the first paint, so that the page never flashes in the wrong scheme.
(() => {
  let scheme = null;
  try {
    scheme = localStorage.getItem("countersign.scheme");
  } catch {}
  if (scheme !== "light" && scheme !== "dark") {
    scheme = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  }
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
})();
