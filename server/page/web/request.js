// What is asked of a drawing: an image, perhaps augmented. One table says which
// control each field has, and how the contract and Python write it.

const about = (middle) => (value) => ({ low: middle - value, high: middle + value });

const IMAGE = [
  { name: 'height', text: 'size', least: 8, most: 256, step: 4, usual: null, start: 64, unit: 'pixels' },
  { name: 'line_width', text: 'line width', least: 1, most: 64, step: 0.5, usual: 16, unit: 'of 256' },
  { name: 'padding', text: 'padding', least: 0, most: 96, step: 1, usual: 16, unit: 'of 256' },
];
const AUGMENT = [
  { name: 'rotation', text: 'rotation', most: 180, step: 1, unit: '°', write: about(0) },
  { name: 'scale', text: 'scale', most: 0.9, step: 0.05, write: about(1) },
  { name: 'shear', text: 'shear', most: 1, step: 0.05, write: about(0) },
  { name: 'translate_x', text: 'shift x', most: 96, step: 1, unit: 'of 256', write: about(0) },
  { name: 'translate_y', text: 'shift y', most: 96, step: 1, unit: 'of 256', write: about(0) },
  { name: 'flip_x', text: 'mirrored', most: 1, step: 0.05, unit: 'chance' },
  { name: 'stroke_dropout', text: 'lost strokes', most: 0.95, step: 0.05, unit: 'chance' },
  { name: 'jitter', text: 'jitter', most: 24, step: 0.5, unit: 'of 256' },
  { name: 'line_width', text: 'line width', most: 0.9, step: 0.05, unit: 'times', write: about(1) },
].map((field) => ({ least: 0, usual: 0, ...field }));
const DRAWS = [
  { name: 'views', text: 'copies', least: 1, most: 8, step: 1, usual: 1 },
  { name: 'seed', text: 'seed', least: 0, most: 99, step: 1, usual: 0 },
];
const FITS = ['canvas', 'box', 'stretch'];

// Kept from drawing to drawing.
const wanted = {
  image: Object.fromEntries(IMAGE.map(({ name, usual, start }) => [name, start ?? usual])),
  augment: Object.fromEntries(AUGMENT.map(({ name, usual }) => [name, usual])),
  draws: Object.fromEntries(DRAWS.map(({ name, usual }) => [name, usual])),
  fit: 'canvas',
  channels: ['ink'],
};

const changed = (fields, values) => fields.filter(({ name, usual }) => values[name] !== usual);
const augments = () => changed(AUGMENT, wanted.augment).length > 0;

function fetchRequest(dataset, index) {
  const delivery = {
    image: { ...wanted.image, fit: `FIT_${wanted.fit.toUpperCase()}`, channels: wanted.channels },
    views: wanted.draws.views,
  };
  if (augments()) {
    delivery.augment = Object.fromEntries(changed(AUGMENT, wanted.augment).map(
      ({ name, write = (value) => value }) => [name, write(wanted.augment[name])]));
  }
  return { dataset, index: [index], delivery, order: { seed: wanted.draws.seed } };
}

const named = (fields, values) => changed(fields, values).map(({ name }) => `${name}=${values[name]}`);

// The arguments that a stream and a fetch have in common.
function pythonArguments() {
  const image = [String(wanted.image.height)];
  if (wanted.channels.length !== 1 || wanted.channels[0] !== 'ink') {
    image.push(`channels=[${wanted.channels.map((name) => JSON.stringify(name)).join(', ')}]`);
  }
  if (wanted.fit !== 'canvas') image.push(`fit="${wanted.fit}"`);
  image.push(...named(IMAGE.slice(1), wanted.image));
  const given = [`image=inkstream.Image(${image.join(', ')})`];
  if (augments()) given.push(`augment=inkstream.Augment(${named(AUGMENT, wanted.augment).join(', ')})`);
  return [...given, ...named(DRAWS, wanted.draws)].join(', ');
}

function range(field, values, changes) {
  const written = el('output', { text: values[field.name] });
  const input = el('input', {
    type: 'range', name: field.name, min: field.least, max: field.most, step: field.step, value: values[field.name],
    oninput() {
      values[field.name] = input.valueAsNumber;
      written.textContent = input.value;
      changes();
    },
  });
  return el('label', { class: 'range' },
    el('span', {}, field.text, field.unit ? el('small', { text: ` ${field.unit}` }) : ''), input, written);
}

function requestForm(channels, changes) {
  const fit = el('select', { name: 'fit', onchange() { wanted.fit = fit.value; changes(); } },
    ...FITS.map((value) => el('option', { value, text: value, selected: value === wanted.fit })));
  const boxes = channels.map((channel) => el('input', {
    type: 'checkbox', value: channel, checked: wanted.channels.includes(channel),
    onchange() {
      wanted.channels = boxes.filter((box) => box.checked).map((box) => box.value);
      // An image has a channel.
      if (wanted.channels.length === 0) {
        wanted.channels = ['ink'];
        boxes[channels.indexOf('ink')].checked = true;
      }
      changes();
    },
  }));
  const group = (title, ...children) => el('fieldset', {}, el('legend', { text: title }), ...children);
  return el('form', { class: 'request', onsubmit: (event) => event.preventDefault() },
    group('Image', ...IMAGE.map((field) => range(field, wanted.image, changes)),
      el('label', { class: 'range' }, el('span', { text: 'fit' }), fit),
      el('div', { class: 'channels', role: 'group', 'aria-label': 'Channels' },
        ...boxes.map((box) => el('label', {}, box, ` ${box.value}`)))),
    group('Augmentation, up to', ...AUGMENT.map((field) => range(field, wanted.augment, changes)),
      ...DRAWS.map((field) => range(field, wanted.draws, changes))));
}
