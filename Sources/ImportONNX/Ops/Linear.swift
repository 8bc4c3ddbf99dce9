import Foundation
import IR

extension Operator {
  /// Products of matrices.
  static let linear: [Operator] = [
    Operator("MatMul", one: { (n) throws(OpError) in try n.matmul(try n.input(0), try n.input(1)) }),
    Operator("Gemm", one: gemm),
    Operator("Einsum", one: einsum),
    Operator("Det", one: determinant),
  ]

  /// `alpha * A' * B' + beta * C`.
  private static func gemm(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("broadcast")
    let (a, b) = (try n.input(0), try n.input(1))
    guard a.rank == 2, b.rank == 2 else { throw OpError("it multiplies matrices, not \(a.type) and \(b.type)") }
    let columns = try n.flag("transA") ? 0 : 1
    let rows = try n.flag("transB") ? 1 : 0
    let alpha = try n.float("alpha", default: 1)
    let beta = try n.float("beta", default: 1)
    var result = try n.dot(a, b, contracting: ([columns], [rows]))
    if alpha != 1 { result = try n.multiply(result, alpha) }
    guard var c = n.optional(2), beta != 0 else { return result }
    if beta != 1 { c = try n.multiply(c, beta) }
    return try n.add(result, n.broadcast(c, to: result.shape))
  }

  /// The determinants of the matrices in the last two dimensions, by elimination with pivots.
  private static func determinant(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    guard x.rank >= 2, let size = x.shape[x.rank - 1].fixed, x.shape[x.rank - 2] == Extent(size) else {
      throw OpError("its input \(x.type) does not hold square matrices")
    }
    guard size <= 32 else { throw .unsupported("matrices of \(size) rows") }
    let batch: Extent = x.shape.dropLast(2).reduce(.one) { $0 * $1 }
    var matrix = try n.reshape(x, [batch, Extent(size), Extent(size)])
    var result = try n.splat(1, x.element, [batch])
    for step in 0..<size {
      let left = Extent(size - step)
      // The pivot is the row whose first element is greatest.
      let first = try n.reshape(n.slice(matrix, axis: 2, 0, 1), [batch, left])
      let pivot = try n.position(of: .greater, in: n.map(.abs, first), axis: 1, wantsLast: false)
      let indices = try n.iota(.i64, [batch, left], axis: 1)
      let isPivot = try n.compare(.equal, indices, n.reshape(pivot, [batch, .one]))
      let mask = try n.reshape(n.convert(isPivot, x.element), [batch, left, .one])
      let row = try n.reduce(n.multiply(matrix, mask), [1], .add, keep: true)
      let top = try n.slice(matrix, axis: 1, 0, 1)
      let head = try n.slice(row, axis: 2, 0, 1)
      let isFirst = try n.compare(.equal, n.reshape(pivot, [batch]), 0)
      let sign = try n.select(isFirst, n.splat(1, x.element, [batch]), n.splat(-1, x.element, [batch]))
      result = try n.multiply(n.multiply(result, sign), n.reshape(head, [batch]))
      guard step + 1 < size else { break }
      // The first row takes the pivot's place.
      let keeps = try n.reshape(isPivot, [batch, left, .one])
      let swapped = try n.select(keeps, n.broadcast(top, to: matrix.shape), matrix)
      let rest = try n.slice(swapped, axis: 1, 1, left)
      let isSingular = try n.compare(.equal, head, 0)
      let divisor = try n.select(isSingular, n.splat(1, like: head), head)
      let factors = try n.divide(n.slice(rest, axis: 2, 0, 1), divisor)
      let reduced = try n.subtract(rest, n.multiply(factors, row))
      matrix = try n.slice(reduced, axis: 2, 1, left)
    }
    return try n.reshape(result, Array(x.shape.dropLast(2)))
  }

  // MARK: Einsum

  /// An operand with a letter for each dimension.
  private struct Labelled {
    var value: Value
    var labels: [Character]
  }

  private static func einsum(_ n: inout Lowering) throws(OpError) -> Value {
    let equation = try n.required(n.string("equation"), "equation").filter { $0 != " " }
    let inputs = try n.allInputs()
    let sides = equation.components(separatedBy: "->")
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    guard sides.count <= 2, terms.count == inputs.count, !inputs.isEmpty else {
      throw OpError("equation '\(equation)' does not fit \(inputs.count) inputs")
    }
    var operands: [Labelled] = []
    for (term, input) in zip(terms, inputs) {
      operands.append(try diagonal(&n, Labelled(value: input, labels: try labels(of: term, rank: input.rank))))
    }
    let all = operands.flatMap(\.labels)
    let ellipsis = Array(Set(all.filter(\.isNumber))).sorted()
    var output: [Character]
    if sides.count == 2 {
      output = try expanded(sides[1], ellipsis)
    } else {
      let once = Set(all.filter { letter in terms.joined().filter { $0 == letter }.count == 1 && letter.isLetter })
      output = ellipsis + once.sorted()
    }
    guard Set(output).count == output.count, Set(output).isSubset(of: Set(all)) else {
      throw OpError("equation '\(equation)' has an output of other letters")
    }
    var product = operands.removeFirst()
    while !operands.isEmpty {
      let next = operands.removeFirst()
      let needed = Set(output).union(operands.flatMap(\.labels))
      product = try contracted(&n, product, next, needed)
    }
    let surplus = product.labels.indices.filter { !output.contains(product.labels[$0]) }
    let result = try n.reduce(product.value, surplus, .add)
    let labels = product.labels.filter { output.contains($0) }
    return try n.transpose(result, output.compactMap { labels.firstIndex(of: $0) })
  }

  /// The letters of a term; the dimensions of an ellipsis get digits, the last one '9'.
  private static func labels(of term: String, rank: Int) throws(OpError) -> [Character] {
    let letters = term.filter { $0 != "." }
    let count = rank - letters.count
    guard letters.allSatisfy({ $0.isASCII && $0.isLetter }), count >= 0, count <= 9,
      term.contains("...") ? term.filter({ $0 == "." }).count == 3 : !term.contains(".") && count == 0
    else {
      throw OpError("the term '\(term)' does not fit an input of rank \(rank)")
    }
    return try expanded(term, (0..<count).map { Character(String(10 - count + $0)) })
  }

  private static func expanded(_ term: String, _ ellipsis: [Character]) throws(OpError) -> [Character] {
    let parts = term.components(separatedBy: "...")
    guard parts.count <= 2 else { throw OpError("the term '\(term)' has two ellipses") }
    return parts.count == 1 ? Array(parts[0]) : Array(parts[0]) + ellipsis + Array(parts[1])
  }

  /// The operand with dimensions of the same letter made one.
  private static func diagonal(_ n: inout Lowering, _ operand: Labelled) throws(OpError) -> Labelled {
    var operand = operand
    while let (first, second) = repeated(operand.labels) {
      let shape = operand.value.shape
      guard shape[first] == shape[second] else {
        throw OpError("dimensions of one letter differ in \(operand.value.type)")
      }
      let isOn = try n.compare(.equal, n.iota(.i64, shape, axis: first), n.iota(.i64, shape, axis: second))
      let masked = try n.select(isOn, operand.value, 0)
      operand.value = try n.reduce(masked, [second], .add)
      operand.labels.remove(at: second)
    }
    return operand
  }

  private static func repeated(_ labels: [Character]) -> (Int, Int)? {
    for (index, label) in labels.enumerated() {
      if let second = labels[(index + 1)...].firstIndex(of: label) { return (index, second) }
    }
    return nil
  }

  /// The product of two operands, summed over the letters that nothing else needs.
  private static func contracted(
    _ n: inout Lowering, _ x: Labelled, _ y: Labelled, _ needed: Set<Character>
  ) throws(OpError) -> Labelled {
    let (x, y) = (try summed(&n, x, needed.union(y.labels)), try summed(&n, y, needed.union(x.labels)))
    let shared = x.labels.filter { y.labels.contains($0) }
    // A dimension that only one side has in full belongs to that side.
    let narrow = shared.filter { letter in extent(x, letter) != extent(y, letter) }
    let left = try squeezed(&n, x, narrow.filter { extent(x, $0) == .one })
    let right = try squeezed(&n, y, narrow.filter { extent(x, $0) != .one && extent(y, $0) == .one })
    let common = left.labels.filter { right.labels.contains($0) }
    let batching = common.filter { needed.contains($0) }
    let contracting = common.filter { !needed.contains($0) }
    func positions(_ operand: Labelled, _ letters: [Character]) -> [Int] {
      letters.compactMap { operand.labels.firstIndex(of: $0) }
    }
    let value = try n.dot(
      left.value, right.value, batching: (positions(left, batching), positions(right, batching)),
      contracting: (positions(left, contracting), positions(right, contracting)))
    let labels =
      batching + left.labels.filter { !common.contains($0) } + right.labels.filter { !common.contains($0) }
    return Labelled(value: value, labels: labels)
  }

  private static func extent(_ operand: Labelled, _ letter: Character) -> Extent? {
    operand.labels.firstIndex(of: letter).map { operand.value.shape[$0] }
  }

  private static func summed(_ n: inout Lowering, _ x: Labelled, _ needed: Set<Character>) throws(OpError) -> Labelled {
    let surplus = x.labels.indices.filter { !needed.contains(x.labels[$0]) }
    return Labelled(value: try n.reduce(x.value, surplus, .add), labels: x.labels.filter { needed.contains($0) })
  }

  private static func squeezed(_ n: inout Lowering, _ x: Labelled, _ letters: [Character]) throws(OpError) -> Labelled {
    let kept = x.labels.indices.filter { !letters.contains(x.labels[$0]) }
    let value = try n.reshape(x.value, kept.map { x.value.shape[$0] })
    return Labelled(value: value, labels: kept.map { x.labels[$0] })
  }
}

extension Lowering {
  /// numpy's `matmul`: vectors are rows on the left and columns on the right; leading dimensions broadcast.
  mutating func matmul(_ x: Value, _ y: Value, result: ElementType? = nil) throws(OpError) -> Value {
    guard x.rank > 0, y.rank > 0 else { throw OpError("it multiplies matrices, not \(x.type) and \(y.type)") }
    let inner = (x.rank - 1, max(0, y.rank - 2))
    if x.rank <= 2 || y.rank <= 2 {
      let product = try dot(x, y, contracting: ([inner.0], [inner.1]), result: result)
      guard y.rank > 2, x.rank == 2 else { return product }
      // The rows of x stand before the leading dimensions of y.
      return try transpose(product, Array(1..<y.rank - 1) + [0, y.rank - 1])
    }
    let leading = try leadingShape(x, y)
    let left = try broadcast(x, to: leading + x.shape.suffix(2))
    let right = try broadcast(y, to: leading + y.shape.suffix(2))
    let batching = Array(leading.indices)
    return try dot(
      left, right, batching: (batching, batching), contracting: ([leading.count + 1], [leading.count]), result: result)
  }

  private mutating func leadingShape(_ x: Value, _ y: Value) throws(OpError) -> [Extent] {
    func leading(_ value: Value) -> Value {
      Value(index: value.index, type: TensorType(value.element, Array(value.shape.dropLast(2))))
    }
    return try broadcastShape([leading(x), leading(y)])
  }
}
