import IR

/// The register tile of a sum of products: `rows` × `vectors` accumulators that stay in registers over the whole depth.
///
/// Each step of the depth multiplies one scalar of every row with every vector of a packed panel.
struct Microkernel {
  /// Rows of the tile.
  var rows: Int
  /// Vectors in a row of the tile.
  var vectors: Int
  var lanes: Int
  /// The type in which products are summed.
  var type: ElementType
  /// What is multiplied where that is words of four bytes.
  var words: WordProduct?

  /// How many accumulators a target's registers hold beside the operands of one step.
  static func accumulatorLimit(_ target: Target, _ words: WordProduct? = nil) -> Int {
    // Two vectors and a scalar are halves of words, two registers each; a product and a mask take one each.
    if case .bytes = words, target.halvesWords { return target.vectorRegisterCount - 8 }
    return target.vectorRegisterCount < 32 ? 12 : target.hasLaneFactors ? 24 : 28
  }

  /// The most rows a tile of `vectors` may have.
  static func rowLimit(vectors: Int, _ target: Target, _ words: WordProduct? = nil) -> Int {
    max(1, accumulatorLimit(target, words) / vectors)
  }

  /// The vectors in a tile for a row length and a number of rows: two, or four where each scalar is an instruction of its
  /// own, unless rows or columns are few, or rows, which are `pitch` bytes apart, push each other out of the cache.
  static func vectors(
    columns: Int?, rows: Int?, pitch: Int? = nil, lanes: Int, _ target: Target, _ words: WordProduct? = nil
  ) -> Int {
    let limit = accumulatorLimit(target, words)
    if let vectors = target.tileVectors { return min(vectors, max(1, ((columns ?? .max >> 8) + lanes - 1) / lanes)) }
    var vectors = target.hasLaneFactors ? 4 : 2
    if let rows, rows > 0, rows < limit / 2 { vectors = max(1, min(8, limit / rows)) }
    if let columns {
      let needed = max(1, (columns + lanes - 1) / lanes)
      vectors = min(vectors, needed)
      // A last panel that is mostly padding is work for nothing: prefer a width that divides.
      if vectors > 2, needed % vectors != 0 {
        vectors = (2...vectors).last { needed % $0 == 0 } ?? vectors
      }
    }
    guard let pitch else { return vectors }
    func collide(_ vectors: Int) -> Bool {
      target.rowsCollide(min(rows ?? limit, rowLimit(vectors: vectors, target, words)), pitch: pitch)
    }
    guard collide(vectors) else { return vectors }
    let needed = columns.map { max(1, ($0 + lanes - 1) / lanes) }
    func padding(_ vectors: Int) -> Int { needed.map { (-$0).flooredRemainder(vectors) } ?? 0 }
    let wider = [3, 4].filter { $0 > vectors && $0 <= needed ?? .max && !collide($0) }
    return wider.min { padding($0) < padding($1) } ?? vectors
  }

  /// The sums over `depth`, row by row, added to `initial` where there are such.
  ///
  /// `row` gives the scalar of a row, `panel` a vector of the panel, for the positions of the depth's loops.
  func sums(
    over depth: [Extent], from initial: [Register]? = nil, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder, row: Row, panel: Panel
  ) -> [[Register]] {
    let zero = b.constant(.zero(type), type, lanes: lanes)
    let start = initial ?? [Register](repeating: zero, count: rows * vectors)
    return byRow(adding(to: start, rows: Array(0..<rows), over: depth, &lowering, &b, row: row, panel: panel))
  }

  /// The accumulators, row by row.
  func byRow(_ sums: [Register]) -> [[Register]] {
    (0..<rows).map { r in (0..<vectors).map { sums[r * vectors + $0] } }
  }

  /// The accumulators with the products over `depth` added to those of some rows.
  func adding(
    to sums: [Register], rows chosen: [Int], over depth: [Extent], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder, row: Row, panel: Panel
  ) -> [Register] {
    let places = chosen.flatMap { r in (0..<vectors).map { r * vectors + $0 } }
    let next = nest(depth[...], [], places.map { sums[$0] }, chosen, &lowering, &b, row, panel)
    var result = sums
    for (place, sum) in zip(places, next) { result[place] = sum }
    return result
  }

  /// The scalar of a row of the tile.
  typealias Row = (inout ElementLowering, inout KernelBuilder, Int, [IntegerExpression]) -> Register
  /// A vector of the panel.
  typealias Panel = (inout ElementLowering, inout KernelBuilder, Int, [IntegerExpression]) -> Register

  private func nest(
    _ depth: ArraySlice<Extent>, _ at: [IntegerExpression], _ sums: [Register], _ chosen: [Int],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ row: Row, _ panel: Panel
  ) -> [Register] {
    guard let extent = depth.first else { return step(at, sums, chosen, &lowering, &b, row, panel) }
    let rest = depth.dropFirst()
    if extent == .one { return nest(rest, at + [.zero], sums, chosen, &lowering, &b, row, panel) }
    return b.loop(to: extent, carrying: sums) { b, variable, sums in
      lowering.withScope { nest(rest, at + [variable], sums, chosen, &$0, &b, row, panel) }
    }
  }

  private func step(
    _ at: [IntegerExpression], _ sums: [Register], _ chosen: [Int], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder, _ row: Row, _ panel: Panel
  ) -> [Register] {
    func factor(_ register: Register, _ b: inout KernelBuilder) -> Register {
      words == nil ? b.convert(register, to: type) : register
    }
    let columns = (0..<vectors).map { factor(panel(&lowering, &b, $0, at), &b) }
    var next = sums
    for (number, r) in chosen.enumerated() {
      let scalar = b.widen(factor(row(&lowering, &b, r, at), &b), to: lanes)
      for v in 0..<vectors {
        let place = number * vectors + v
        next[place] =
          words.map { b.wordProducts($0, scalar, columns[v], sums[place]) }
          ?? b.multiplyAdd(scalar, columns[v], sums[place])
      }
    }
    return next
  }
}

/// The panel that is multiplied after this one, fetched while this one is: each tile asks for its share of it, as evenly as
/// its steps go, so that the first tile of the next panel does not wait for memory.
struct NextPanel {
  let memory: Memory
  /// Where the tile's share begins.
  let start: IntegerExpression
  /// Elements for each step of the depth.
  let advance: Int

  /// `tiles` share a panel of `depth` steps of `width` elements; nil where one tile alone would ask for all of it, unless it waits
  /// for `allPanels` bytes to pass by once, from memory: then it asks for what it reads next.
  init?(
    _ memory: Memory, at panelEnd: IntegerExpression, tile: IntegerExpression, of tiles: Int, depth: Extent,
    width: Int, allPanels byteCount: Double? = nil, _ b: inout KernelBuilder
  ) {
    self.memory = memory
    guard tiles > 1 else {
      guard let byteCount, byteCount > Double(b.target.l3ByteCount / 4 * 3) else { return nil }
      advance = width
      let ahead = ElementLowering.FetchAhead.byteCount / b.elementType(of: memory).byteCount
      start = b.index(of: b.materialize(panelEnd - depth * width + ahead, lanes: 1))
      return
    }
    advance = (width + tiles - 1) / tiles
    start = b.index(of: b.materialize(panelEnd + tile * depth * advance, lanes: 1))
  }

  /// What goes beside one step of the depth.
  func fetch(beside step: IntegerExpression, _ elementByteCount: Int, _ b: inout KernelBuilder) {
    let line = max(1, Target.cacheLineByteCount / elementByteCount)
    for first in stride(from: 0, to: advance, by: line) {
      b.append(.prefetch(memory, at: start + step * advance + first, into: .l2))
    }
  }
}

/// A packed right operand: for each batch and panel, the depth's rows, each as many columns as a tile is wide.
enum PackedPanels {
  /// Where the packed elements are.
  enum Source {
    case constant(Literal)
    /// A graph over the fusion's operands whose only result is the packed tensor.
    case computed(Graph)
  }
}

/// How a fixed number of rows is cut into tiles of at most two sizes, which differ by one.
struct RowTiles {
  /// Tiles in all.
  let count: Int
  /// The first `larger` tiles have `size + 1` rows, the others `size`.
  let larger: Int
  let size: Int

  init(rows: Int, limit: Int) {
    count = max(1, (rows + limit - 1) / limit)
    size = rows / count
    larger = rows % count
  }
}

/// Where an anchor's elements end up: the results' indices as functions of the anchor's.
struct Epilogue {
  /// Index expressions over the anchor's dimensions, as `.variable`s, for each result of the body.
  let resultIndices: [[IntegerExpression]]

  /// Nil where a result does not follow from the anchor by pointwise ops, transpositions and reshapes.
  init?(of anchor: ValueID, in body: Graph) {
    var indices = [[IntegerExpression]?](repeating: nil, count: body.nodes.count)
    let extents = body.type(of: anchor).dimensions
    indices[anchor.index] = extents.indices.map { .variable($0) }
    for (position, node) in body.nodes.enumerated().dropFirst(anchor.index + 1) {
      let sources = node.operands.compactMap { indices[$0.index] }
      guard let source = sources.first else { continue }
      guard sources.allSatisfy({ $0 == source }) else { return nil }
      switch node.op {
      case .pointwise: indices[position] = source
      case .transpose, .reshape: indices[position] = body.index(source, movedBy: node, over: extents)
      default: return nil
      }
    }
    var found: [[IntegerExpression]] = []
    for result in body.results {
      guard let index = indices[result.index] else { return nil }
      found.append(index)
    }
    resultIndices = found
  }

  /// Writes all results that depend on the anchor's element `value` at `index`.
  func store(
    _ value: Register, of anchor: ValueID, at index: [IntegerExpression], mask: Register?, outputs: [Memory],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let body = lowering.graph
    lowering.withScope { lowering in
      lowering.pinned[anchor] = b.convert(value, to: body.type(of: anchor).elementType)
      for (result, expressions) in zip(body.results, resultIndices).enumerated() {
        let builder = b
        let at = expressions.1.map { expression in
          expression.substituting(bound: { builder.bound(of: $0) }) { atom in
            if case .variable(let d) = atom, index.indices.contains(d) { return index[d] }
            return nil
          }
        }
        let element = lowering.element(of: expressions.0, at: at, mask: mask, in: &b)
        let position = ElementLowering.position(of: at, in: body.type(of: expressions.0))
        b.store(element, outputs[result], at: position, lanes: lowering.lanes, mask: mask)
      }
      lowering.pinned[anchor] = nil
    }
  }
}
