import GraphBuilding
import IR

extension Operator {
  /// Lists of tensors, which exist only while the graph is read: positions and lengths must be known.
  static let sequences: [Operator] = [
    Operator("SequenceConstruct") { (n) throws(OpError) in
      let values = try n.allInputs()
      return [n.list(values)]
    },
    Operator("SequenceEmpty") { (n) throws(OpError) in
      n.ignore("dtype")
      return [n.list([])]
    },
    Operator("SequenceInsert", one: insert),
    Operator("SequenceErase", one: erase),
    Operator(
      "SequenceAt",
      one: { (n) throws(OpError) in
        let values = try n.listInput()
        return values[try position(&n, try n.input(1), limit: values.count)]
      }),
    Operator("SequenceLength", one: { (n) throws(OpError) in n.known([Extent(try n.listInput().count)], .i64, []) }),
    Operator("ConcatFromSequence", one: join),
    Operator("SplitToSequence", one: split),
    Operator("Optional", one: { (n) throws(OpError) in try n.input(0) }),
    Operator("OptionalGetElement", one: { (n) throws(OpError) in try n.input(0) }),
    Operator(
      "OptionalHasElement",
      one: { (n) throws(OpError) in
        n.known([n.optional(0) == nil ? .zero : .one], .i1, [])
      }),
  ]

  /// A position in a list, counted from the end where it is negative.
  private static func position(_ n: inout Lowering, _ value: Value, limit: Int) throws(OpError) -> Int {
    guard let given = try n.integers(of: value, "position").first, given >= -limit, given < limit else {
      throw OpError("its position is outside of a sequence of \(limit)")
    }
    return given < 0 ? given + limit : given
  }

  private static func insert(_ n: inout Lowering) throws(OpError) -> Value {
    var values = try n.listInput()
    let tensor = try n.input(1)
    guard let place = n.optional(2) else { return n.list(values + [tensor]) }
    guard let given = try n.integers(of: place, "position").first, given >= -values.count, given <= values.count else {
      throw OpError("its position is outside of a sequence of \(values.count)")
    }
    values.insert(tensor, at: given < 0 ? given + values.count : given)
    return n.list(values)
  }

  private static func erase(_ n: inout Lowering) throws(OpError) -> Value {
    var values = try n.listInput()
    guard !values.isEmpty else { throw OpError("its sequence is empty") }
    let place = try n.optional(1).map { (value) throws(OpError) in try position(&n, value, limit: values.count) }
    values.remove(at: place ?? values.count - 1)
    return n.list(values)
  }

  private static func join(_ n: inout Lowering) throws(OpError) -> Value {
    var values = try n.listInput()
    let given = try n.required(n.int("axis"), "axis")
    let isNew = try n.flag("new_axis")
    guard let rank = values.first?.rank else { throw OpError("its sequence is empty") }
    let axis = try n.axis(given, rank: isNew ? rank + 1 : rank)
    if isNew { for index in values.indices { values[index] = try n.unsqueeze(values[index], axis) } }
    return try n.concatenate(values, axis: axis)
  }

  private static func split(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let axis = try n.axis(try n.int("axis", default: 0), rank: x.rank)
    let keeps = try n.flag("keepdims", default: true)
    guard let extent = x.shape[axis].fixed else { throw .unsupported("parts of the extent \(x.shape[axis])") }
    var parts = [Int](repeating: 1, count: extent)
    if let input = n.optional(1) {
      parts = try n.integers(of: input, "split")
      if input.rank == 0 {
        guard let size = parts.first, size > 0 else { throw OpError("its parts have \(parts) elements") }
        parts = stride(from: 0, to: extent, by: size).map { min(size, extent - $0) }
      }
    }
    guard parts.allSatisfy({ $0 >= 0 && $0 <= extent }), parts.reduce(0, +) == extent else {
      throw OpError("its parts \(parts) do not make up the \(extent) of dimension \(axis)")
    }
    var values: [Value] = []
    var start = 0
    for part in parts {
      var value = try n.slice(x, axis: axis, Extent(start), Extent(start + part))
      if !keeps, n.optional(1) == nil { value = try n.squeeze(value, axis) }
      values.append(value)
      start += part
    }
    return n.list(values)
  }
}

extension Lowering {
  /// The first input, which must be a list.
  mutating func listInput() throws(OpError) -> [Value] {
    guard let value = optional(0) else { throw OpError("input 0 is missing") }
    guard let values = list(of: value) else { throw OpError("input 0 is a tensor \(value.type), not a sequence") }
    return values
  }
}
