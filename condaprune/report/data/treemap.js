// The tree of an audit and its layout as a treemap. No names from the data ever become markup.
const Tree = (() => {
  // A folder is [name, own sizes, children], a file [name, package, category, flags, sizes...],
  // a group of small files [count, package, category, flags, sizes...].
  const REMOVED = 1, UNUSED = 2;

  function build(raw, parent) {
    if (Array.isArray(raw[1])) {
      const node = { name: raw[0], parent, own: raw[1], children: [], files: 0, size: 0, lead: null };
      for (const child of raw[2]) node.children.push(build(child, node));
      return node;
    }
    const grouped = typeof raw[0] === 'number';
    return {
      name: grouped ? `[${raw[0].toLocaleString('en')} small files]` : raw[0], parent, grouped,
      count: grouped ? raw[0] : 1, files: 0, pkg: raw[1], cat: raw[2], flags: raw[3],
      values: raw.slice(4), children: null, size: 0, lead: null,
    };
  }

  // Sizes by one measure, before or after the plan; children by falling size.
  function weigh(node, measure, after) {
    if (!node.children) {
      const gone = after && (node.flags & REMOVED);
      node.size = gone ? 0 : node.values[measure] || 0;
      node.files = gone ? 0 : node.count;
      node.lead = node;
      return;
    }
    let size = node.own[measure] || 0, files = 0;
    for (const child of node.children) {
      weigh(child, measure, after);
      size += child.size;
      files += child.files;
    }
    node.children.sort((a, b) => b.size - a.size);
    node.size = size;
    node.files = files;
    node.lead = node.children.length ? node.children[0].lead : null;
  }

  function path(node) {
    const parts = [];
    for (; node && node.parent; node = node.parent) parts.unshift(node.name);
    return parts.join('/');
  }

  function find(root, wanted) {
    let node = root;
    for (const part of wanted.split('/').filter(Boolean)) {
      const next = node.children && node.children.find(c => c.children && c.name === part);
      if (!next) break;
      node = next;
    }
    return node;
  }

  // Squarified layout: rows are filled while that makes their tiles less oblong.
  function squarify(nodes, x, y, w, h, put) {
    let total = 0;
    for (const node of nodes) total += node.size;
    if (total <= 0 || w <= 0 || h <= 0) return;
    const scale = w * h / total;
    let at = 0;
    while (at < nodes.length && nodes[at].size > 0 && w > 0.5 && h > 0.5) {
      const side = Math.min(w, h);
      let sum = 0, end = at, worst = Infinity;
      while (end < nodes.length) {
        const area = nodes[end].size * scale;
        if (area <= 0) break;
        const next = sum + area, thick = next / side;
        const largest = nodes[at].size * scale / thick, smallest = area / thick;
        const ratio = Math.max(largest / thick, thick / smallest);
        if (ratio > worst) break;
        worst = ratio;
        sum = next;
        end++;
      }
      const thick = sum / side, wide = w >= h;
      let along = wide ? y : x;
      for (; at < end; at++) {
        const length = nodes[at].size * scale / thick;
        if (wide) put(nodes[at], x, along, thick, length);
        else put(nodes[at], along, y, length, thick);
        along += length;
      }
      if (wide) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    }
  }

  // The tiles of what lies below a folder, outer ones first; what is too small is one tile.
  function layout(root, width, height) {
    const tiles = [], head = 15;
    function put(node, x, y, w, h, depth) {
      const open = node.children && w > 26 && h > head + 10;
      tiles.push({ node, x, y, w, h, depth, open });
      if (open) inside(node, x + 1, y + head, w - 2, h - head - 1, depth + 1);
      else if (node.children && w > 5 && h > 5) inside(node, x, y, w, h, depth + 1);
    }
    function inside(node, x, y, w, h, depth) {
      squarify(node.children, x, y, w, h, (child, a, b, c, d) => put(child, a, b, c, d, depth));
    }
    inside(root, 0, 0, width, height, 0);
    return tiles;
  }

  return { build, weigh, path, find, layout, REMOVED, UNUSED };
})();
