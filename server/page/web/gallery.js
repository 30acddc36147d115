// The drawings of a view, page by page, and what there is to choose from.

const PAGE = 60;
const ORDERS = { stored: 'as stored', shuffled: 'shuffled, as for training' };

// What the gallery shows is all in its address.
function galleryAddress({ dataset, split = '', word = '', order = 'stored', page = 0 }) {
  const query = new URLSearchParams();
  if (split !== '') query.set('split', split);
  if (word !== '') query.set('class', word);
  if (order !== 'stored') query.set('order', order);
  if (page > 0) query.set('page', page + 1);
  const text = query.toString();
  return `#/${encodeURIComponent(dataset)}${text && `?${text}`}`;
}

function galleryOf(dataset, query) {
  return {
    dataset,
    split: query.get('split') ?? '',
    word: query.get('class') ?? '',
    order: query.get('order') in ORDERS ? query.get('order') : 'stored',
    page: Math.max(0, (Number.parseInt(query.get('page'), 10) || 1) - 1),
  };
}

const viewOf = ({ split, word }) => ({ split, classes: word === '' ? [] : [word] });

// The last page that was shown: drawings are left and found again by it.
let shown = { address: '#/', indices: [] };

function datasetCard(one, current) {
  const facts = [many(one.drawings, 'drawing'), many(one.classes, 'class', 'classes'), bytes(one.bytes)];
  if (one.generation > 1) facts.push(`generation ${one.generation}`);
  const fingerprint = copyable(one.fingerprint, `the fingerprint of ${one.dataset}`);
  return el('section', { class: one.dataset === current ? 'card current' : 'card' },
    el('h2', {}, el('a', {
      href: galleryAddress({ dataset: one.dataset }),
      'aria-current': one.dataset === current ? 'true' : null,
      text: one.dataset,
    })),
    el('p', { text: facts.join(' · ') }),
    el('div', { class: 'fingerprint', title: 'fingerprint' }, fingerprint.node),
    one.problem === '' ? null : el('p', { class: 'problem', text: one.problem }));
}

function splitLinks(gallery, described) {
  const link = (split, drawings) => el('a', {
    href: galleryAddress({ ...gallery, split, page: 0 }),
    'aria-current': split === gallery.split ? 'true' : null,
  }, split === '' ? 'all' : split, el('small', { text: count(drawings) }));
  return el('nav', { class: 'chips', 'aria-label': 'Splits' },
    link('', described.drawings),
    ...(described.splits ?? []).map((one) => link(one.name, one.drawings)));
}

function classList(gallery, classes, list) {
  const most = Math.max(1, ...classes.map((one) => Number(one.drawings)));
  const items = classes.map((one) => {
    const item = el('li', {}, el('a', {
      href: galleryAddress({ ...gallery, word: one.word, page: 0 }),
      'aria-current': one.word === gallery.word ? 'true' : null,
    }, el('span', { text: one.word }), el('small', { text: count(one.drawings) })));
    item.firstChild.style.setProperty('--share', Number(one.drawings) / most);
    return { node: item, word: one.word.toLowerCase() };
  });
  list.replaceChildren(...items.map((item) => item.node));
  return items;
}

function searchOf(gallery, described) {
  const classes = described.classes ?? [];
  const list = el('ul', { class: 'classes' });
  const items = classList(gallery, classes, list);
  const none = el('p', { class: 'quiet', hidden: true });
  const found = () => items.filter((item) => !item.node.hidden);
  const input = el('input', {
    id: 'search',
    type: 'search',
    placeholder: 'class, index or key_id',
    autocomplete: 'off',
    spellcheck: 'false',
    oninput() {
      const wanted = input.value.trim().toLowerCase();
      for (const item of items) item.node.hidden = !item.word.includes(wanted);
      none.hidden = found().length > 0;
      none.textContent = /^\d+$/.test(wanted) ? `Enter looks for drawing ${wanted}.` : 'No class is called so.';
    },
    onkeydown(event) {
      const wanted = input.value.trim();
      if (event.key === 'Enter' && /^\d+$/.test(wanted)) {
        event.preventDefault();
        findDrawing(described, wanted);
      } else if (event.key === 'Enter' && found().length > 0) {
        event.preventDefault();
        const exact = found().find((item) => item.word === wanted.toLowerCase());
        (exact ?? found()[0]).node.firstChild.click();
      }
    },
  });
  return el('section', { class: 'choose' },
    el('label', { for: 'search', text: 'Search' }), input, none,
    el('details', { open: !matchMedia('(max-width: 700px)').matches },
      el('summary', { text: many(classes.length, 'class', 'classes') }),
      el('p', { class: 'every' }, el('a', {
        href: galleryAddress({ ...gallery, word: '', page: 0 }),
        'aria-current': gallery.word === '' ? 'true' : null,
        text: 'every class',
      })),
      list));
}

// A number below that of the drawings is a place in the store, else a key.
async function findDrawing({ dataset, drawings }, text) {
  const by = BigInt(text) < BigInt(drawings) ? 'index' : 'key_id';
  const { index } = await api.drawing({ dataset, [by]: text });
  location.hash = drawingAddress(dataset, index);
}

function tile(dataset, drawing) {
  const word = drawing.word ?? 'no word';
  const damaged = 'problem' in drawing;
  return el('li', {}, el('a', {
    href: drawingAddress(dataset, drawing.index),
    class: damaged ? 'tile damaged' : 'tile',
    title: damaged ? drawing.problem : `${word}, index ${drawing.index}`,
  },
  damaged ? el('span', { class: 'sketch', text: '✕' }) : sketch(drawing.strokes),
  el('span', { class: 'word', text: damaged ? 'damaged' : word }),
  drawing.recognized === false
    ? el('span', { class: 'flag', title: 'not recognized by the game', text: '?' }) : null));
}

function pager(gallery, pages) {
  const to = (page, text, rel) => el('a', {
    href: page < 0 || page >= pages ? null : galleryAddress({ ...gallery, page }),
    'aria-disabled': page < 0 || page >= pages ? 'true' : null,
    rel,
    text,
  });
  const input = el('input', {
    type: 'number', min: 1, max: Math.max(1, pages), value: gallery.page + 1, 'aria-label': 'Page',
    onchange() {
      const page = Math.min(Math.max(1, input.valueAsNumber || 1), pages) - 1;
      location.hash = galleryAddress({ ...gallery, page });
    },
  });
  return el('nav', { class: 'pager', 'aria-label': 'Pages of drawings' },
    to(gallery.page - 1, '← Previous', 'prev'),
    el('span', {}, 'page ', input, ` of ${count(pages)}`),
    to(gallery.page + 1, 'Next →', 'next'));
}

function orderLinks(gallery) {
  return el('nav', { class: 'chips', 'aria-label': 'Order' },
    ...Object.entries(ORDERS).map(([order, text]) => el('a', {
      href: galleryAddress({ ...gallery, order, page: 0 }),
      'aria-current': order === gallery.order ? 'true' : null,
      text,
    })));
}

function pythonOfGallery(gallery, step) {
  const view = gallery.word === ''
    ? JSON.stringify(gallery.split)
    : `inkstream.View(${JSON.stringify(gallery.split)}, classes=[${JSON.stringify(gallery.word)}])`;
  const shuffle = gallery.order === 'shuffled' ? '"full"' : '"none"';
  return `data.plan(${view}, batch_size=${PAGE}, shuffle=${shuffle}, tail="partial", step=${step})`;
}

async function showGallery(main, gallery, datasets) {
  const { dataset } = gallery;
  const cards = el('div', { class: 'cards' }, ...datasets.map((one) => datasetCard(one, dataset)));
  const body = el('div', { class: 'gallery' });
  main.replaceChildren(cards, body);
  const [described, answer] = await Promise.all([
    api.dataset({ dataset, view: { split: gallery.split } }),
    api.drawings({
      dataset,
      open: {
        view: viewOf(gallery),
        order: { shuffle: gallery.order === 'shuffled' ? 'SHUFFLE_FULL' : 'SHUFFLE_NONE' },
        delivery: { batch_size: PAGE, tail: 'TAIL_PARTIAL' },
      },
      step: gallery.page,
    }),
  ]);
  const pages = Number(answer.steps_per_epoch);
  shown = { address: galleryAddress(gallery), indices: answer.drawings.map((one) => one.index) };
  const title = gallery.word === '' ? 'Every class' : gallery.word;
  const first = answer.position + 1;
  const range = answer.drawings.length === 0
    ? 'no drawings here'
    : `${count(first)}–${count(first + answer.drawings.length - 1)} of ${many(answer.view_drawings, 'drawing')}`;
  body.replaceChildren(
    searchOf(gallery, described),
    el('section', { class: 'drawings', 'aria-labelledby': 'title' },
      el('div', { class: 'bar' },
        el('h1', { id: 'title' }, el('span', { text: title }), ' ', el('small', { text: range })),
        splitLinks(gallery, described), orderLinks(gallery)),
      el('ul', { class: 'tiles' }, ...answer.drawings.map((one) => tile(dataset, one))),
      pager(gallery, pages),
      copyable(pythonOfGallery(gallery, gallery.page), 'the line for these drawings').node));
  document.title = `${title} · ${dataset} · Inkstream`;
  say(`${title}: ${range}`);
}
