// One drawing: large, what is known of it, and what a request makes of it.

const drawingAddress = (dataset, index) => `#/${encodeURIComponent(dataset)}/${index}`;

function facts(drawing) {
  const yesNo = { true: 'yes', false: 'no' };
  const rows = [
    ['index', count(drawing.index)],
    ['word', drawing.word],
    ['label', drawing.label < 0 ? null : drawing.label],
    ['split', drawing.split || null],
    ['key_id', drawing.key_id],
    ['countrycode', drawing.countrycode],
    ['timestamp', drawing.timestamp],
    ['recognized', yesNo[drawing.recognized]],
    ['strokes', `${count(drawing.strokes.length)}, of ${many(drawing.points, 'point')}`],
  ];
  return el('dl', { class: 'facts' }, ...rows.flatMap(([name, value]) => [
    el('dt', { text: name }),
    value === null || value === undefined
      ? el('dd', { class: 'quiet', text: 'none' }) : el('dd', { text: value }),
  ]));
}

// One channel of a uint8 image, as it is: 0 is black.
function channelCanvas(pixels, side, label) {
  const canvas = el('canvas', { width: side, height: side, role: 'img', 'aria-label': label });
  const image = new ImageData(side, side);
  for (let i = 0; i < side * side; ++i) {
    image.data.fill(pixels[i], 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
  return canvas;
}

// What comes for a request, and the lines that ask for the same.
function previewer(dataset, index) {
  const node = el('div', { class: 'pixels' });
  const problem = el('p', { class: 'problem', hidden: true });
  const stream = copyable('', 'the line for a stream');
  const once = copyable('', 'the line for this drawing');
  let running = null;

  async function update() {
    const given = pythonArguments();
    stream.code.textContent = `data.stream("train", batch_size=256, ${given})`;
    once.code.textContent = `data.fetch(${index}, ${given})`;
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    const side = wanted.image.height;
    const { channels } = wanted;
    try {
      const pixels = await api.pixels(fetchRequest(dataset, index), signal);
      const size = side * side;
      const canvases = [];
      for (let at = 0; at < pixels.length; at += size) {
        const channel = channels[at / size % channels.length];
        const copy = Math.floor(at / size / channels.length);
        canvases.push(el('figure', {},
          channelCanvas(pixels.subarray(at, at + size), side, `${channel} of copy ${copy + 1}`),
          copy === 0 || channels.length > 1 ? el('figcaption', { text: channel }) : null));
      }
      node.style.setProperty('--columns', channels.length === 1 ? canvases.length : channels.length);
      node.replaceChildren(...canvases);
      problem.hidden = true;
    } catch (error) {
      if (error.name === 'AbortError') return;
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }

  return { update, nodes: [node, problem, stream.node, once.node] };
}

function neighbours(dataset, index) {
  const at = shown.indices.indexOf(index);
  const to = (place, text, rel) => el('a', {
    href: at < 0 || !(place in shown.indices) ? null : drawingAddress(dataset, shown.indices[place]),
    'aria-disabled': at < 0 || !(place in shown.indices) ? 'true' : null,
    rel,
    text,
  });
  return [to(at - 1, '← Previous', 'prev'), to(at + 1, 'Next →', 'next')];
}

let replaying = null;

async function showDrawing(main, dataset, index) {
  const [drawing, described] = await Promise.all([
    api.drawing({ dataset, index }), api.dataset({ dataset }),
  ]);
  const replay = replayer(drawing.strokes);
  const preview = previewer(dataset, drawing.index);
  const title = drawing.word ?? 'A drawing without a word';
  const back = shown.address === '#/' ? galleryAddress({ dataset }) : shown.address;
  replaying = replay;
  main.replaceChildren(
    el('nav', { class: 'pager', 'aria-label': 'Drawings' },
      el('a', { href: back, rel: 'up', text: '↑ Gallery' }), ...neighbours(dataset, drawing.index)),
    el('h1', { text: title }),
    el('div', { class: 'one' },
      el('div', {}, replay.node, facts(drawing)),
      el('section', { class: 'made', 'aria-labelledby': 'made' },
        el('h2', { id: 'made', text: 'What a request makes of it' }),
        ...preview.nodes, requestForm(described.channels ?? ['ink'], preview.update))));
  document.title = `${title} · ${dataset} · Inkstream`;
  say(`${title}, drawing ${drawing.index}`);
  await preview.update();
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) replay.toggle();
}
