// Addresses to views, and keys.
//
//   #/                     the first dataset
//   #/DATASET?split=…      a page of its gallery
//   #/DATASET/INDEX        one drawing
//   #/streams

let visit = 0;
let left = '';  // the drawing that was looked at before

// `place`: the address that is gone on from.
function enter(view, place) {
  const main = byId('main');
  main.replaceChildren(view);
  document.body.dataset.shown = location.hash;
  const list = view.querySelector('.classes');
  const current = list?.querySelector('[aria-current]');
  if (current) list.scrollTop = current.offsetTop - list.clientHeight / 2;
  const link = [...view.querySelectorAll('.tile')].find((one) => one.getAttribute('href') === place);
  if (link !== undefined) link.focus();
  else {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

async function route() {
  const mine = ++visit;
  const still = () => mine === visit;
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [first, second] = path.split('/').map(decodeURIComponent);
  const page = first === 'streams' && second === undefined ? 'streams' : 'drawings';
  for (const link of document.querySelectorAll('[data-page]')) {
    if (link.dataset.page === page) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  replaying = null;
  notice('');
  document.body.dataset.busy = '';
  // Views fill a node of their own, so one that comes too late is not seen.
  const view = el('div', { class: page });
  try {
    if (page === 'streams') await showStreams(view, still);
    else await showDrawings(view, first, second, query);
    if (!still()) return;
    enter(view, left);
    left = second === undefined ? '' : drawingAddress(first, second);
  } catch (error) {
    if (!still()) return;
    enter(view, '');
    notice(error.message);
  } finally {
    if (still()) delete document.body.dataset.busy;
  }
}

async function showDrawings(view, dataset, index, query) {
  const { datasets } = await api.datasets();
  if (datasets.length === 0) {
    view.replaceChildren(el('p', { text: 'There is no dataset here yet: stores are being read.' }));
    return;
  }
  const name = dataset || (datasets.find((one) => one.problem === '') ?? datasets[0]).dataset;
  if (index !== undefined) await showDrawing(view, name, index);
  else await showGallery(view, galleryOf(name, new URLSearchParams(query)), datasets);
}

// From drawing to drawing, as they lie on the screen.
function step(from, key) {
  const tiles = [...document.querySelectorAll('.tile')];
  const at = tiles.indexOf(from);
  if (at < 0) {
    tiles[0]?.focus();
    return;
  }
  const top = from.offsetTop;
  const columns = tiles.filter((one) => one.offsetTop === tiles[0].offsetTop).length;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  const next = tiles[at + by];
  if (next !== undefined && (Math.abs(by) === 1 || next.offsetTop !== top)) next.focus();
}

const follow = (rel) => document.querySelector(`a[rel=${rel}][href]`)?.click();

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const { target, key } = event;
  const types = target.matches('input, select, textarea');
  if (key === 'Escape') {
    if (target.id === 'search') target.blur();
    else follow('up');
  } else if (types) {
    return;
  } else if (key === '/') {
    event.preventDefault();
    byId('search')?.focus();
  } else if (key === 'n') follow('next');
  else if (key === 'p') follow('prev');
  else if (key === '?') byId('keys').showModal();
  else if (key === ' ' && replaying !== null && !target.matches('button, a, summary')) {
    event.preventDefault();
    replaying.toggle();
  } else if (key.startsWith('Arrow') && document.querySelector('.tile') !== null) {
    event.preventDefault();
    step(target, key);
  }
});

byId('show-keys').addEventListener('click', () => byId('keys').showModal());
addEventListener('hashchange', () => {
  // Others are places in the page, such as #main.
  if (location.hash === '' || location.hash.startsWith('#/')) route();
});
addEventListener('unhandledrejection', (event) => notice(event.reason?.message ?? String(event.reason)));
route();
