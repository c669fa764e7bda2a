(() => {
  const started = performance.now();
  const $ = id => document.getElementById(id);
  const data = JSON.parse($('data').textContent);
  const root = Tree.build(data.tree, null);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const canvas = $('canvas'), pen = canvas.getContext('2d');
  const LIMIT = 200;
  const state = { root, colour: 'category', measure: 0, plan: 'before', query: '', tab: 'package', sort: 1, down: true, chosen: null };
  let tiles = [], matches = null, shades = new Map();

  function bytes(n) {
    if (n < 1000) return `${Math.round(n)} B`;
    const units = ['kB', 'MB', 'GB', 'TB'];
    let i = -1;
    do { n /= 1000; i++; } while (n >= 999.5 && i < 3);
    return `${n.toFixed(n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2)} ${units[i]}`;
  }
  const count = n => n.toLocaleString('en');
  const share = (part, whole) => whole ? `${(100 * part / whole).toFixed(1)} %` : '-';
  function make(tag, text, parent) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  }

  // Colours: neighbours in the list of names are far apart on the wheel.
  function shade(kind, index) {
    const key = `${kind}${index}${dark.matches}`;
    let found = shades.get(key);
    if (!found) {
      const hue = index * 137.508 % 360, light = (dark.matches ? 38 : 68) + index % 3 * 5;
      found = index < 0 ? (dark.matches ? '#4a5058' : '#c3c8ce') : `hsl(${hue} 48% ${light}%)`;
      shades.set(key, found);
    }
    return found;
  }
  const colourOf = leaf => !leaf ? shade('', -1) :
    state.colour === 'package' ? shade('p', data.packages[leaf.pkg] === data.unowned ? -1 : leaf.pkg) : shade('c', leaf.cat);

  function weigh() { Tree.weigh(root, state.measure, state.plan === 'after'); }

  // Search: what is in a path, a package or a category that matches stands out.
  function search() {
    const query = state.query.trim().toLowerCase();
    if (!query) { matches = null; $('found').textContent = ''; return; }
    matches = new Set();
    const pkgs = data.packages.map(name => name.toLowerCase().includes(query));
    const cats = data.categories.map(name => name.toLowerCase().includes(query));
    let files = 0, size = 0;
    (function walk(node, path, hit) {
      const own = path ? `${path}/${node.name}` : node.parent ? node.name : '';
      const here = hit || own.toLowerCase().includes(query);
      if (node.children) {
        let any = false;
        for (const child of node.children) any = walk(child, own, here) || any;
        if (any || here) matches.add(node);
        return any || here;
      }
      if (!(here || pkgs[node.pkg] || cats[node.cat])) return false;
      matches.add(node);
      files += node.files;
      size += node.size;
      return true;
    })(root, '', false);
    $('found').textContent = `${count(files)} files, ${bytes(size)}`;
  }

  function draw() {
    const box = canvas.getBoundingClientRect(), ratio = devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(box.width * ratio));
    canvas.height = Math.max(1, Math.round(box.height * ratio));
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(document.documentElement);
    const ground = style.getPropertyValue('--ground'), ink = style.getPropertyValue('--ink');
    const panel = style.getPropertyValue('--panel'), line = style.getPropertyValue('--line');
    pen.fillStyle = ground;
    pen.fillRect(0, 0, box.width, box.height);
    pen.font = '11px system-ui, sans-serif';
    pen.textBaseline = 'middle';
    tiles = Tree.layout(state.root, box.width, box.height);
    for (const { node, x, y, w, h, open } of tiles) {
      const dim = matches && !matches.has(node);
      if (open) {
        pen.globalAlpha = 1;
        pen.fillStyle = panel;
        pen.fillRect(x, y, w, h);
        pen.strokeStyle = line;
        pen.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
        text(`${node.name}  ${bytes(node.size)}`, x + 4, y + 8, w - 8, ink, dim ? 0.4 : 1);
        continue;
      }
      const leaf = node.lead, gone = leaf && !node.children && leaf.flags & Tree.REMOVED;
      pen.globalAlpha = dim ? 0.15 : gone ? 0.45 : 1;
      pen.fillStyle = colourOf(leaf);
      const gap = w > 4 && h > 4 ? 0.5 : 0;
      pen.fillRect(x + gap, y + gap, w - 2 * gap, h - 2 * gap);
      if (gone && w > 8 && h > 8) hatch(x, y, w, h, ink);
      if (!node.children && w > 40 && h > 13) text(node.name, x + 3, y + Math.min(9, h / 2), w - 6, ink, dim ? 0.4 : 1);
    }
    pen.globalAlpha = 1;
    const held = tiles.find(tile => tile.node === state.chosen);
    if (held) {
      pen.strokeStyle = style.getPropertyValue('--focus');
      pen.lineWidth = 3;
      pen.strokeRect(held.x + 1.5, held.y + 1.5, held.w - 3, held.h - 3);
      pen.lineWidth = 1;
    }
  }
  function text(words, x, y, room, colour, alpha) {
    const most = Math.floor(room / 6);
    if (most < 3) return;
    pen.globalAlpha = alpha;
    pen.fillStyle = colour;
    pen.fillText(words.length > most ? words.slice(0, most - 1) + '…' : words, x, y, room);
  }
  function hatch(x, y, w, h, ink) {
    pen.save();
    pen.beginPath();
    pen.rect(x, y, w, h);
    pen.clip();
    pen.strokeStyle = ink;
    pen.globalAlpha = 0.35;
    pen.beginPath();
    for (let at = -h; at < w; at += 7) { pen.moveTo(x + at, y + h); pen.lineTo(x + at + h, y); }
    pen.stroke();
    pen.restore();
  }

  function describe(node) {
    const lines = [Tree.path(node) || data.label, `${bytes(node.size)}, ${share(node.size, root.size)} of all, ${count(node.files)} files`];
    if (!node.children) {
      data.measures.forEach((name, i) => { if (i !== state.measure) lines.push(`${name}: ${bytes(node.values[i])}`); });
      lines.push(`${data.packages[node.pkg]}, ${data.categories[node.cat]}`);
      if (node.flags & Tree.REMOVED) lines.push('goes with the plan');
      if (node.flags & Tree.UNUSED) lines.push('no trace touched it');
    }
    return lines;
  }
  function choose(node) {
    state.chosen = node;
    $('status').textContent = node ? describe(node).join(' · ') : '';
  }

  function crumbs() {
    const bar = $('crumbs'), chain = [];
    for (let node = state.root; node; node = node.parent) chain.unshift(node);
    bar.replaceChildren();
    chain.forEach((node, i) => {
      if (i) bar.append(' / ');
      const button = make('button', i ? node.name : 'all', bar);
      button.type = 'button';
      if (node === state.root) button.setAttribute('aria-current', 'page');
      button.onclick = () => zoom(node);
    });
    bar.append(`  ${bytes(state.root.size)} in ${count(state.root.files)} files`);
    $('up').disabled = !state.root.parent;
  }

  // Tables: the views of the audit, the folders of the map, its largest files.
  const TABS = { package: 'Packages', category: 'Categories', extension: 'Extensions', rule: 'Rules', here: 'In this folder', files: 'Largest files' };
  const CHANGED = { package: 'Changed packages', category: 'Changed categories', folder: 'Changed folders', file: 'Changed files' };
  for (const key of Object.keys(data.changes || {})) TABS[`changed-${key}`] = CHANGED[key];
  const first = data.changes ? 'changed-package' : 'package';
  const changed = () => state.tab.startsWith('changed-');
  function rows() {
    if (changed()) {
      return data.changes[state.tab.slice(8)].map(([name, version, ...values]) => ({ name: version ? `${name} ${version}` : name, query: name, values }));
    }
    if (state.tab === 'here') {
      return state.root.children.map(node => ({ name: node.name, values: [node.size, node.files], node, leaf: node.lead }));
    }
    if (state.tab === 'files') {
      const found = [];
      (function walk(node) {
        if (node.children) node.children.forEach(walk);
        else if (!node.grouped && node.size && (!matches || matches.has(node))) found.push(node);
      })(state.root);
      found.sort((a, b) => b.size - a.size);
      return found.slice(0, 5 * LIMIT).map(node => ({ name: Tree.path(node), values: [node.size, 1], node, leaf: node }));
    }
    const kind = { package: ['packages', 'p'], category: ['categories', 'c'] }[state.tab];
    return data.views[state.tab].map(([name, version, ...values]) => ({
      name: version ? `${name} ${version}` : name, query: name, values,
      tint: kind && shade(kind[1], name === data.unowned ? -1 : data[kind[0]].indexOf(name)),
    }));
  }
  function table() {
    $('tabs').replaceChildren();
    for (const [key, label] of Object.entries(TABS)) {
      if (key === 'rule' && !data.views.rule) continue;
      const tab = make('button', label, $('tabs'));
      tab.type = 'button';
      tab.setAttribute('role', 'tab');
      tab.setAttribute('aria-selected', String(key === state.tab));
      tab.onclick = () => { state.tab = key; state.sort = changed() ? 3 : 1; state.down = true; table(); remember(); };
    }
    const own = state.tab === 'here' || state.tab === 'files';
    const heads = changed() ? ['name', 'before', 'after', 'change', 'files'] : own ? ['name', data.measures[state.measure], 'files'] : ['name', ...data.columns];
    const head = make('tr');
    heads.forEach((name, i) => {
      const cell = make('th', undefined, head), button = make('button', name, cell);
      button.type = 'button';
      cell.setAttribute('aria-sort', i === state.sort ? (state.down ? 'descending' : 'ascending') : 'none');
      button.onclick = () => { state.down = i === state.sort ? !state.down : i > 0; state.sort = i; table(); };
    });
    document.querySelector('#table thead').replaceChildren(head);
    let list = rows();
    const query = state.query.trim().toLowerCase();
    if (query && state.tab !== 'files') list = list.filter(row => row.name.toLowerCase().includes(query) || (row.node && matches.has(row.node)));
    const sign = state.down ? -1 : 1, at = state.sort - 1;
    const worth = value => heads[state.sort] === 'change' ? Math.abs(value) : value;
    list.sort((a, b) => sign * (at < 0 ? a.name.localeCompare(b.name, 'en') : worth(a.values[at]) - worth(b.values[at])));
    const body = document.querySelector('#table tbody');
    body.replaceChildren();
    for (const row of list.slice(0, LIMIT)) {
      const line = make('tr', undefined, body), cell = make('td', undefined, line);
      line.tabIndex = 0;
      const tint = row.leaf ? colourOf(row.leaf) : row.tint;
      if (tint) { const dot = make('span', undefined, cell); dot.className = 'swatch'; dot.style.background = tint; }
      cell.append(row.name);
      row.values.forEach((value, i) => make('td', heads[i + 1] === 'files' ? count(value) : heads[i + 1] === 'change' ? `${value < 0 ? '-' : '+'}${bytes(Math.abs(value))}` : bytes(value), line));
      line.onclick = () => row.node ? zoom(row.node.children ? row.node : row.node.parent, row.node) : seek(state.query === row.query ? '' : row.query);
      line.onkeydown = event => { if (event.key === 'Enter') line.onclick(); };
    }
    $('more').textContent = list.length > LIMIT ? `${count(list.length - LIMIT)} more rows; search to narrow down` : '';
  }

  function zoom(node, chosen) {
    state.root = node;
    choose(chosen || null);
    show();
  }
  function up() {
    const from = state.root;
    if (from.parent) zoom(from.parent, from);
  }
  function seek(query) {
    state.query = $('search').value = query;
    show();
  }
  function show() {
    search();
    crumbs();
    draw();
    table();
    remember();
  }
  // The view is in the address, so that a link leads to it.
  function remember() {
    const held = new URLSearchParams();
    if (state.root.parent) held.set('path', Tree.path(state.root));
    if (state.query) held.set('search', state.query);
    if (state.colour !== 'category') held.set('colour', state.colour);
    if (state.plan !== 'before') held.set('plan', state.plan);
    if (state.measure) held.set('size', data.measures[state.measure]);
    if (state.tab !== first) held.set('tab', state.tab);
    try { history.replaceState(null, '', '#' + held); } catch { /* some viewers forbid it */ }
  }
  function recall() {
    const held = new URLSearchParams(location.hash.slice(1));
    state.query = held.get('search') || '';
    state.colour = held.get('colour') === 'package' ? 'package' : 'category';
    state.plan = data.planned && held.get('plan') === 'after' ? 'after' : 'before';
    state.measure = Math.max(0, data.measures.indexOf(held.get('size') || ''));
    state.tab = held.get('tab') in TABS && (held.get('tab') !== 'rule' || data.views.rule) ? held.get('tab') : first;
    state.sort = changed() ? 3 : 1;
    state.root = Tree.find(root, held.get('path') || '');
    for (const id of ['colour', 'plan']) $(id).value = state[id];
    $('measure').value = String(state.measure);
    $('search').value = state.query;
    weigh();
    show();
  }

  // Which tile is under the pointer: the innermost one.
  function under(event) {
    const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    for (let i = tiles.length - 1; i >= 0; i--) {
      const tile = tiles[i];
      if (x >= tile.x && x < tile.x + tile.w && y >= tile.y && y < tile.y + tile.h) return tile.node;
    }
    return null;
  }
  function below(node) { // the child of the map's folder that a node lies in
    while (node && node.parent !== state.root) node = node.parent;
    return node;
  }
  canvas.addEventListener('mousemove', event => {
    const node = under(event), tip = $('tip'), box = canvas.getBoundingClientRect();
    tip.hidden = !node;
    if (!node) return;
    tip.textContent = describe(node).join('\n');
    const x = event.clientX - box.left, y = event.clientY - box.top;
    tip.style.left = `${Math.max(0, Math.min(x + 12, box.width - tip.offsetWidth))}px`;
    tip.style.top = `${y + 16 + tip.offsetHeight > box.height ? Math.max(0, y - tip.offsetHeight - 8) : y + 16}px`;
  });
  canvas.addEventListener('mouseleave', () => { $('tip').hidden = true; });
  canvas.addEventListener('click', event => {
    const node = under(event), child = below(node);
    if (child && child.children) zoom(child);
    else if (node) { choose(node); draw(); }
  });
  canvas.addEventListener('contextmenu', event => { event.preventDefault(); up(); });
  canvas.addEventListener('keydown', event => {
    const list = state.root.children.filter(node => node.size > 0);
    const at = list.indexOf(state.chosen), step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step && list.length) choose(list[at < 0 ? 0 : (at + step + list.length) % list.length]);
    else if (event.key === 'Home' && list.length) choose(list[0]);
    else if (event.key === 'End' && list.length) choose(list[list.length - 1]);
    else if (event.key === 'Enter' && state.chosen && state.chosen.children) zoom(state.chosen);
    else if (event.key === 'Backspace' || event.key === 'Escape') up();
    else return;
    event.preventDefault();
    draw();
  });
  document.addEventListener('keydown', event => {
    if (event.target.matches('input, select') || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/') $('search').focus();
    else if (event.key === 'c') change('colour', state.colour === 'package' ? 'category' : 'package');
    else if (event.key === 'p' && data.planned) change('plan', state.plan === 'after' ? 'before' : 'after');
    else return;
    event.preventDefault();
  });
  function change(id, value) {
    state[id] = id === 'measure' ? Number(value) : value;
    $(id).value = String(value);
    weigh();
    show();
  }
  for (const id of ['colour', 'measure', 'plan']) $(id).addEventListener('change', () => change(id, $(id).value));
  $('search').addEventListener('input', () => seek($('search').value));
  $('search').addEventListener('keydown', event => { if (event.key === 'Escape') { seek(''); canvas.focus(); } });
  $('up').onclick = up;
  addEventListener('resize', draw);
  addEventListener('hashchange', recall);
  dark.addEventListener('change', show);

  data.measures.forEach((name, i) => { make('option', name, $('measure')).value = String(i); });
  $('label').textContent = data.label;
  $('facts').textContent = data.facts;
  $('totals').textContent = data.totals;
  $('plan-label').hidden = !data.planned;
  recall();
  document.documentElement.dataset.ready = String(Math.round(performance.now() - started));
})();
