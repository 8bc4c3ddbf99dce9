import Foundation
package import IR

/// An operand with a letter for each dimension.
private struct Labelled {
  var value: Value
  var labels: [Character]
}

/// Products of matrices and of tensors.
extension GraphBuilder {
  /// numpy's `matmul`: vectors are rows on the left and columns on the right; leading dimensions broadcast.
  package mutating func matmul(_ x: Value, _ y: Value, result: ElementType? = nil) throws(OpError) -> Value {
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

  // MARK: Einsum

  /// numpy's `einsum`: each dimension has a letter, and what the output does not name is summed.
  package mutating func einsum(_ equation: String, _ inputs: [Value]) throws(OpError) -> Value {
    let equation = equation.filter { $0 != " " }
    let sides = equation.components(separatedBy: "->")
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    guard sides.count <= 2, terms.count == inputs.count, !inputs.isEmpty else {
      throw OpError("equation '\(equation)' does not fit \(inputs.count) inputs")
    }
    var operands: [Labelled] = []
    for (term, input) in zip(terms, inputs) {
      operands.append(try diagonal(Labelled(value: input, labels: try labels(of: term, rank: input.rank))))
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
      product = try contracted(product, next, needed)
    }
    let surplus = product.labels.indices.filter { !output.contains(product.labels[$0]) }
    let result = try reduce(product.value, surplus, .add)
    let labels = product.labels.filter { output.contains($0) }
    return try transpose(result, output.compactMap { labels.firstIndex(of: $0) })
  }

  /// The letters of a term; the dimensions of an ellipsis get digits, the last one '9'.
  private func labels(of term: String, rank: Int) throws(OpError) -> [Character] {
    let letters = term.filter { $0 != "." }
    let count = rank - letters.count
    guard letters.allSatisfy({ $0.isASCII && $0.isLetter }), count >= 0, count <= 9,
      term.contains("...") ? term.filter({ $0 == "." }).count == 3 : !term.contains(".") && count == 0
    else {
      throw OpError("the term '\(term)' does not fit an input of rank \(rank)")
    }
    return try expanded(term, (0..<count).map { Character(String(10 - count + $0)) })
  }

  private func expanded(_ term: String, _ ellipsis: [Character]) throws(OpError) -> [Character] {
    let parts = term.components(separatedBy: "...")
    guard parts.count <= 2 else { throw OpError("the term '\(term)' has two ellipses") }
    return parts.count == 1 ? Array(parts[0]) : Array(parts[0]) + ellipsis + Array(parts[1])
  }

  /// The operand with dimensions of the same letter made one.
  private mutating func diagonal(_ operand: Labelled) throws(OpError) -> Labelled {
    var operand = operand
    while let (first, second) = repeated(operand.labels) {
      let shape = operand.value.shape
      guard shape[first] == shape[second] else {
        guard shape[first].isFixed, shape[second].isFixed else { throw inequality(shape[first], shape[second]) }
        throw OpError("dimensions of one letter differ in \(operand.value.type)")
      }
      let isOn = try compare(.equal, iota(.i64, shape, axis: first), iota(.i64, shape, axis: second))
      let masked = try select(isOn, operand.value, 0)
      operand.value = try reduce(masked, [second], .add)
      operand.labels.remove(at: second)
    }
    return operand
  }

  private func repeated(_ labels: [Character]) -> (Int, Int)? {
    for (index, label) in labels.enumerated() {
      if let second = labels[(index + 1)...].firstIndex(of: label) { return (index, second) }
    }
    return nil
  }

  /// The product of two operands, summed over the letters that nothing else needs.
  private mutating func contracted(
    _ x: Labelled, _ y: Labelled, _ needed: Set<Character>
  ) throws(OpError) -> Labelled {
    let (x, y) = (try summed(x, needed.union(y.labels)), try summed(y, needed.union(x.labels)))
    let shared = x.labels.filter { y.labels.contains($0) }
    // A dimension that only one side has in full belongs to that side.
    let narrow = shared.filter { letter in extent(x, letter) != extent(y, letter) }
    let left = try squeezed(x, narrow.filter { extent(x, $0) == .one })
    let right = try squeezed(y, narrow.filter { extent(x, $0) != .one && extent(y, $0) == .one })
    let common = left.labels.filter { right.labels.contains($0) }
    let batching = common.filter { needed.contains($0) }
    let contracting = common.filter { !needed.contains($0) }
    func positions(_ operand: Labelled, _ letters: [Character]) -> [Int] {
      letters.compactMap { operand.labels.firstIndex(of: $0) }
    }
    let value = try dot(
      left.value, right.value, batching: (positions(left, batching), positions(right, batching)),
      contracting: (positions(left, contracting), positions(right, contracting)))
    let labels =
      batching + left.labels.filter { !common.contains($0) } + right.labels.filter { !common.contains($0) }
    return Labelled(value: value, labels: labels)
  }

  private func extent(_ operand: Labelled, _ letter: Character) -> Extent? {
    operand.labels.firstIndex(of: letter).map { operand.value.shape[$0] }
  }

  private mutating func summed(_ x: Labelled, _ needed: Set<Character>) throws(OpError) -> Labelled {
    let surplus = x.labels.indices.filter { !needed.contains(x.labels[$0]) }
    return Labelled(value: try reduce(x.value, surplus, .add), labels: x.labels.filter { needed.contains($0) })
  }

  private mutating func squeezed(_ x: Labelled, _ letters: [Character]) throws(OpError) -> Labelled {
    let kept = x.labels.indices.filter { !letters.contains(x.labels[$0]) }
    let value = try reshape(x.value, kept.map { x.value.shape[$0] })
    return Labelled(value: value, labels: kept.map { x.labels[$0] })
  }
}
