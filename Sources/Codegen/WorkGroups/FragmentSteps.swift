import IR

/// What the items of a group do for one tile of a product of fragments: bring pieces of rows and columns to local memory, and
/// multiply them.
///
/// A line in local memory has four chunks of 16 bytes. Item `4 g + p` of a run reads chunk p of the lines g, g + 8, …, and
/// takes its four words for the two halves of two fragments' depth: which steps of the depth a fragment's step stands for
/// does not matter while it is the same for rows and columns. Chunks of line l are turned by l / 2, so that neither the
/// eight items that read at once, two lines, nor those that write one chunk of eight lines meet in a bank.
struct FragmentSteps {
  let tile: FragmentTile
  let scheme: SplitScheme
  private let runRow: IntegerExpression
  private let runColumn: IntegerExpression
  private let group: IntegerExpression
  private let part: IntegerExpression
  /// Where the item's chunk of each line is.
  private let chunk: IntegerExpression

  init(tile: FragmentTile, scheme: SplitScheme, _ b: inout KernelBuilder) {
    (self.tile, self.scheme) = (tile, scheme)
    let place = b.positions(
      of: .item, in: [Extent(tile.rows / tile.runRows), Extent(tile.runsInRow), 8, Extent(FragmentTile.depth)])
    (runRow, runColumn, group, part) = (place[0], place[1], place[2], place[3])
    chunk = Self.chunk(part, line: group, &b)
  }

  /// Fragments of sums in a run's rows and columns.
  private var rowFragments: Int { tile.runRows / Fragment.rows }
  private var columnFragments: Int { tile.runColumns / Fragment.columns }

  private static func chunk(_ piece: IntegerExpression, line: IntegerExpression, _ b: inout KernelBuilder)
    -> IntegerExpression
  {
    let bound: IntegerExpression.Bound = { [b] in b.bound(of: $0) }
    let depth = Extent(FragmentTile.depth)
    let turned = (piece + line.floorDivided(by: 2, bound: bound)).modulo(depth, bound: bound)
    return b.index(of: b.materialize(turned, lanes: 1), bound: depth)
  }

  // MARK: Local memory

  /// The rows' or the columns' lines in local memory, two buffers of all parts.
  struct Side {
    var memory: Memory
    /// Lines of the tile.
    var count: Int
    /// Whether a line's elements follow each other where they come from.
    var isContiguous: Bool
    /// The first line, and how many there are in all.
    var first: IntegerExpression
    var extent: Extent
  }

  /// The elements of a piece of a row or a column, a lane each; zero where the mask is false.
  typealias Read = (
    inout ElementLowering, inout KernelBuilder, _ line: IntegerExpression, _ piece: IntegerExpression, _ mask: Register?
  ) -> Register

  func addMemory(lines: Int, _ b: inout KernelBuilder) -> Memory {
    b.addShared(.i32, count: 2 * scheme.partCount * lines * FragmentTile.lineWords)
  }

  /// The line and the piece that the item brings in a round, and whether there is one; nil for always.
  private func place(_ side: Side, _ round: Int, _ b: inout KernelBuilder)
    -> (line: IntegerExpression, piece: IntegerExpression, isThere: Register?)
  {
    let count = side.count * FragmentTile.depth
    let number = IntegerExpression.item + round * tile.itemCount
    let bound: IntegerExpression.Bound = { [b] in b.bound(of: $0) }
    let fast = Extent(side.isContiguous ? FragmentTile.depth : side.count)
    let (inner, outer) = (number.modulo(fast, bound: bound), number.floorDivided(by: fast, bound: bound))
    let isThere =
      (round + 1) * tile.itemCount <= count ? nil : b.isWithin(number, Extent(count), lanes: 1)
    return side.isContiguous ? (outer, inner, isThere) : (inner, outer, isThere)
  }

  private func rounds(_ side: Side) -> Int { (side.count * FragmentTile.depth + tile.itemCount - 1) / tile.itemCount }

  /// The item's share of the pieces from `start` on, before `end`: the words of each round's parts.
  func fetch(
    _ side: Side, from start: IntegerExpression, to end: Extent, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder, _ read: Read
  ) -> [Register] {
    let isWhole = side.extent.fixed.map { $0 % side.count == 0 } ?? false
    return (0..<rounds(side)).flatMap { round in
      let (line, piece, isThere) = place(side, round, &b)
      let lineNumber = b.index(of: b.materialize(side.first + line, lanes: 1), bound: isWhole ? side.extent : nil)
      var mask = isThere
      if !isWhole { mask = b.and(mask, b.isWithin(lineNumber, side.extent, lanes: 1)) }
      let pieceNumber = b.index(of: b.materialize(start + piece, lanes: 1))
      mask = b.and(mask, b.isWithin(pieceNumber, end, lanes: 1))
      var elements: Register?
      lowering.withScope { elements = read(&$0, &b, lineNumber, pieceNumber, mask) }
      guard let elements else { preconditionFailure("a scope runs once") }
      return b.twoByteParts(of: elements, scheme).map { b.words($0) }
    }
  }

  /// Puts what was fetched into one of the two buffers.
  func store(_ words: [Register], _ side: Side, buffer: IntegerExpression, _ b: inout KernelBuilder) {
    for round in 0..<rounds(side) {
      let (line, piece, isThere) = place(side, round, &b)
      let chunk = Self.chunk(piece, line: line, &b)
      for part in 0..<scheme.partCount {
        let at = position(side, buffer, part: part, line: line, chunk: chunk)
        b.store(words[round * scheme.partCount + part], side.memory, at: at + .lane, lanes: 4, mask: isThere)
      }
    }
  }

  private func position(
    _ side: Side, _ buffer: IntegerExpression, part: Int, line: IntegerExpression, chunk: IntegerExpression
  ) -> IntegerExpression {
    ((buffer * scheme.partCount + part) * side.count + line) * FragmentTile.lineWords + chunk * 4
  }

  // MARK: Products

  /// What an item's sums begin with.
  func zeros(_ b: inout KernelBuilder) -> [Register] {
    [Register](repeating: b.constant(.zero(.f32), .f32, lanes: 4), count: rowFragments * columnFragments)
  }

  /// The sums with the products of what is in a buffer.
  func multiply(
    _ sums: [Register], _ rows: Side, _ columns: Side, buffer: IntegerExpression, _ b: inout KernelBuilder
  ) -> [Register] {
    var sums = sums
    func words(_ side: Side, _ part: Int, _ line: IntegerExpression) -> Register {
      b.load(
        side.memory, at: position(side, buffer, part: part, line: line, chunk: chunk) + .lane, lanes: 4)
    }
    let columnWords = (0..<columnFragments).map { n in
      (0..<scheme.partCount).map { words(columns, $0, runColumn * tile.runColumns + group + n * Fragment.columns) }
    }
    for m in 0..<rowFragments {
      let line = runRow * tile.runRows + group + m * Fragment.rows
      let rowWords = (0..<scheme.partCount).map { (words(rows, $0, line), words(rows, $0, line + 8)) }
      for half in 0..<2 {
        for product in scheme.products {
          let (low, high) = rowWords[product.left]
          let a = b.fragment(low, high, [2 * half, 4 + 2 * half, 2 * half + 1, 4 + 2 * half + 1])
          for n in 0..<columnFragments {
            let column = columnWords[n][product.right]
            let c = b.fragment(column, column, [2 * half, 2 * half + 1])
            let sum = sums[m * columnFragments + n]
            sums[m * columnFragments + n] = b.define(
              RegisterType(.f32, lanes: 4), .fragmentProduct(scheme.format, a, c, sum))
          }
        }
      }
    }
    return sums
  }

  /// Hands out the item's sums, two neighbours of a row each, with their row and first column in the tile.
  func forEach(
    _ sums: [Register], _ b: inout KernelBuilder,
    _ body: (inout KernelBuilder, Register, _ row: IntegerExpression, _ column: IntegerExpression) -> Void
  ) {
    for m in 0..<rowFragments {
      for n in 0..<columnFragments {
        for half in 0..<2 {
          let sum = sums[m * columnFragments + n]
          let pair = b.define(RegisterType(.f32, lanes: 2), .shuffle(sum, sum, [2 * half, 2 * half + 1]))
          let row = runRow * tile.runRows + group + (m * Fragment.rows + 8 * half)
          body(&b, pair, row, runColumn * tile.runColumns + part * 2 + n * Fragment.columns)
        }
      }
    }
  }
}

extension KernelBuilder {
  fileprivate mutating func fragment(_ x: Register, _ y: Register, _ lanes: [Int]) -> Register {
    define(RegisterType(.i32, lanes: lanes.count), .shuffle(x, y, lanes))
  }

  /// The elements as sums of two-byte floats.
  ///
  /// Of two parts the second is what the first lacks. What is not finite is its second part, beside a first of 1 with its
  /// sign: so each product with it is what it is in f32, but of numbers that are no number of 8 bits but 0.
  fileprivate mutating func twoByteParts(of elements: Register, _ scheme: SplitScheme) -> [Register] {
    let format = scheme.elementType
    if scheme.partCount == 1 { return [convert(elements, to: format)] }
    let largest = Double(sign: .plus, exponent: 127, significand: 1.9921875)
    let x = convert(elements, to: .f32)
    let isFinite = apply(
      .compare(.lessOrEqual, .float), [apply(.abs, [x]), constant(Double(Float.greatestFiniteMagnitude), .f32)])
    let limited = apply(.maximum, [apply(.minimum, [x, constant(largest, .f32)]), constant(-largest, .f32)])
    let isNegative = apply(.compare(.less, .float), [x, constant(0, .f32)])
    let sign = apply(.select, [isNegative, constant(-1, .f32, lanes: lanes(of: x)), constant(1, .f32)])
    let first = convert(apply(.select, [isFinite, limited, sign]), to: format)
    let rest = apply(.select, [isFinite, apply(.subtract, [x, convert(first, to: .f32)]), x])
    return [first, convert(rest, to: format)]
  }
}
