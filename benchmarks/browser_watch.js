// Watches a page for benchmarks/browser.py. Everything is taken once per frame, by the page's own clock.
(() => {
  const inFrame = (work) => {
    // After the frame has been handed over: what a person sees at that time.
    const channel = new MessageChannel();
    channel.port1.onmessage = () => work(performance.now());
    channel.port2.postMessage(0);
  };
  const grid = () => document.querySelector('[role=listbox][aria-label=Images]');
  const place = (tile) => {
    const [, x, y] = /translate\(([\d.]+)px, ([\d.]+)px\)/.exec(tile.style.transform) ?? [];
    return { index: Number(tile.dataset.index), x: Number(x), y: Number(y) };
  };

  /** The places in sight by arithmetic from two tiles, so that one without any element is blank too. */
  let shape = null;
  function learn(tiles) {
    if (shape) return shape;
    const places = tiles.map(place);
    const rows = [...new Set(places.map((each) => each.y))].sort((a, b) => a - b);
    if (rows.length < 3) return null;
    const columns = places.filter((each) => each.y === rows[1]).length;
    const one = places.find((each) => each.y === rows[1]);
    const stepY = rows[2] - rows[1];
    const row = Math.floor(one.index / columns);
    const total = Number(tiles[0].getAttribute('aria-setsize'));
    const picture = tiles[0].querySelector('div').clientHeight;
    shape = { columns, stepY, top: one.y - row * stepY, total, picture };
    return shape;
  }
  function look() {
    const scroller = grid();
    const tiles = scroller ? [...scroller.querySelectorAll('[data-index]')] : [];
    if (!tiles.length) return { cells: 0, blank: [] };
    const found = learn(tiles);
    if (!found) return { cells: 0, blank: [] };
    const total = Number(tiles[0].getAttribute('aria-setsize'));
    const low = scroller.scrollTop;
    const high = low + scroller.clientHeight;
    const filled = new Set();
    for (const tile of tiles) if (tile.querySelector('img[data-there]')) filled.add(Number(tile.dataset.index));
    const blank = [];
    let cells = 0;
    const first = Math.max(0, Math.floor((low - found.top) / found.stepY));
    for (let row = first; found.top + row * found.stepY < high; row += 1) {
      if (found.top + row * found.stepY + found.picture <= low) continue;
      for (let column = 0; column < found.columns; column += 1) {
        const index = row * found.columns + column;
        if (index >= total) continue;
        cells += 1;
        if (!filled.has(index)) blank.push(index);
      }
    }
    return { cells, blank };
  }

  const since = new Map();
  let ages = null;
  const watch = {
    complete: 0,
    came: null,
    cells: () => look().cells,
    blank: () => look().blank.length,
    middle() {
      const box = grid().getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    },
    last: () => Math.max(...[...grid().querySelectorAll('[data-index]')].map((tile) => Number(tile.dataset.index))),
    scrollTo(share) {
      const scroller = grid();
      scroller.scrollTop = share * (scroller.scrollHeight - scroller.clientHeight);
    },
    begin() {
      since.clear();
      ages = [];
    },
    end() {
      const found = ages;
      ages = null;
      return found;
    },
    /** Wait for the first page of a list: its tiles, then all of its pictures. */
    expect(ids) {
      watch.came = null;
      let pressed = 0;
      const press = () => {
        pressed ||= performance.now();
      };
      for (const type of ['pointerdown', 'keydown']) window.addEventListener(type, press, { capture: true, once: true });
      const came = {};
      const step = () => {
        if (pressed) {
          const tiles = [...(grid()?.querySelectorAll('[data-index]') ?? [])].slice(0, ids.length);
          const right = tiles.length > 0 && tiles.every((tile) => Number(tile.dataset.image) === ids[tile.dataset.index]);
          const at = performance.now() - pressed;
          if (right && tiles.length >= Math.min(ids.length, 12)) {
            came.tiles ??= at;
            if (look().blank.length === 0) came.pictures ??= at;
          }
        }
        if (came.pictures) inFrame((now) => {
          watch.came = { tiles: came.tiles, pictures: now - pressed };
        });
        else requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    },
  };

  const frame = () => {
    const now = performance.now();
    if (!watch.complete || ages) {
      const { cells, blank } = look();
      if (!watch.complete && cells > 0 && blank.length === 0) watch.complete = now;
      if (ages) {
        const still = new Set(blank);
        for (const index of blank) if (!since.has(index)) since.set(index, now);
        for (const [index, at] of since) {
          if (still.has(index)) continue;
          ages.push(now - at); // it came, or it went out of sight
          since.delete(index);
        }
      }
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);

  // The slider: each key press is answered when the table shows what was asked for at that time or later.
  let presses = [];
  let asked = [];
  let tables = [];
  let bars = [];
  let observers = [];
  const plain = window.fetch;
  window.fetch = async (...rest) => {
    const stats = String(rest[0]).includes('/review/stats');
    const began = performance.now();
    const answer = await plain(...rest);
    if (stats) asked.push({ began, ended: performance.now() });
    return answer;
  };
  watch.slide = () => {
    presses = [];
    asked = [];
    tables = [];
    bars = [];
    const note = (list) => () => inFrame((now) => list.push(now));
    observers = [
      ['aside table', tables],
      ['aside svg', bars],
    ].map(([which, list]) => {
      const observer = new MutationObserver(note(list));
      observer.observe(document.querySelector(which), { subtree: true, childList: true, characterData: true, attributes: true });
      return observer;
    });
  };
  // How many of the fifty bars lie below the lower end: the histogram has something to follow where that changes.
  const outside = (low) => Math.floor(low * 50 + 1e-6);
  window.addEventListener('keydown', (event) => {
    const now = Number(document.activeElement?.getAttribute('aria-valuenow'));
    const next = now + (event.key === 'ArrowRight' ? 0.01 : -0.01);
    presses.push({ at: event.timeStamp, bars: outside(now) !== outside(next) });
  }, { capture: true });
  watch.slid = () => {
    for (const observer of observers) observer.disconnect();
    const table = [];
    const histogram = [];
    for (const { at, bars: moved } of presses) {
      const question = asked.find((each) => each.began >= at);
      const shown = question && tables.find((time) => time >= question.ended);
      if (shown) table.push(shown - at);
      const bar = moved && bars.find((time) => time >= at);
      if (bar) histogram.push(bar - at);
    }
    return { table, histogram };
  };
  window.watch = watch;
})();
