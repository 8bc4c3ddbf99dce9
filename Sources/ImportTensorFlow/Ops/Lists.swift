import GraphBuilding
import IR

extension Operator {
  /// Lists of tensors of one shape, which TensorArray becomes: one tensor with a leading dimension.
  static let lists: [Operator] = [
    Operator(
      "TensorListReserve",
      items: { (n) throws(OpError) in
        n.ignore("shape_type")
        let list = TensorList(element: try n.elementType("element_dtype"), count: try n.extent(1, "number of elements"))
        return [.list(try n.filled(list, elementShape(&n, 0)))]
      }),
    Operator(
      "EmptyTensorList",
      items: { (n) throws(OpError) in
        n.ignore("shape_type")
        return [.list(TensorList(element: try n.elementType("element_dtype"), count: .zero))]
      }),
    Operator(
      "TensorListFromTensor",
      items: { (n) throws(OpError) in
        n.ignore("shape_type")
        let x = try n.input(0)
        guard let count = x.shape.first else { throw OpError("its input is a scalar") }
        return [.list(TensorList(element: x.element, count: count, value: x))]
      }),
    Operator(
      "TensorListStack",
      one: { (n) throws(OpError) in
        n.ignore("num_elements")
        return try n.elements(n.list(0), elementShape(&n, 1))
      }),
    Operator(
      "TensorListGetItem",
      one: { (n) throws(OpError) in
        let list = try n.list(0)
        let index = try n.input(1)
        return try n.element(of: n.elements(list, elementShape(&n, 2)), at: n.reshape(index, []), axis: 0)
      }),
    Operator(
      "TensorListSetItem",
      items: { (n) throws(OpError) in
        n.ignore("resize_if_index_out_of_bounds")
        var list = try n.list(0)
        let (index, item) = (try n.input(1), try n.input(2))
        let current = try n.elements(list, item.shape)
        guard current.element == item.element, Array(current.shape.dropFirst()) == item.shape else {
          throw .unsupported("a list of elements of different shapes")
        }
        guard list.count != .zero else { throw .unsupported("a list that grows") }
        list.value = try n.replacing(current, at: n.reshape(index, []), axis: 0, with: item)
        return [.list(list)]
      }),
    Operator(
      "TensorListPushBack",
      items: { (n) throws(OpError) in
        var list = try n.list(0)
        let item = try n.unsqueeze(try n.input(1), 0)
        list.value = try list.value.map { (old) throws(OpError) in try n.concatenate([old, item], axis: 0) } ?? item
        list.count += .one
        return [.list(list)]
      }),
    Operator(
      "TensorListPopBack", outputs: ["output_handle", "tensor"],
      items: { (n) throws(OpError) in
        var list = try n.list(0)
        guard let value = list.value else { throw OpError("it takes the last element of an empty list") }
        let last = list.count - 1
        list.value = try n.slice(value, axis: 0, 0, last)
        list.count = last
        return [.list(list), .tensor(try n.squeeze(n.slice(value, axis: 0, last, last + 1), 0))]
      }),
    Operator("TensorListLength", one: { (n) throws(OpError) in n.known([try n.list(0).count], .i32, []) }),
    Operator(
      "TensorListElementShape",
      one: { (n) throws(OpError) in
        guard let value = try n.list(0).value else { throw .unsupported("the shape of the elements of an empty list") }
        return n.known(Array(value.shape.dropFirst()), try n.elementType("shape_type"), [value.rank - 1])
      }),
    Operator("TensorListConcatV2", outputs: ["tensor", "lengths"]) { (n) throws(OpError) in
      n.ignore("shape_type")
      let list = try n.list(0)
      guard let value = list.value, value.rank >= 2 else { throw .unsupported("a list whose elements have no rows") }
      let rows = try n.reshape(value, [value.shape[0] * value.shape[1]] + value.shape.dropFirst(2))
      return [rows, try n.broadcast(n.scalar(of: value.shape[1], .i64), to: [value.shape[0]], at: [])]
    },
    Operator(
      "TensorListGather",
      one: { (n) throws(OpError) in
        try n.take(n.elements(n.list(0), elementShape(&n, 2)), try n.input(1), axis: 0)
      }),
  ]

  /// The shape of a list's elements that an input says; nil where it leaves some of it open.
  private static func elementShape(_ n: inout Lowering, _ index: Int) throws(OpError) -> [Extent]? {
    let input = try n.input(index)
    guard input.rank == 1 else { return nil }
    let shape = try n.extents(of: input, "element shape")
    return shape.contains { $0.fixed.map { $0 < 0 } ?? false } ? nil : shape
  }
}

extension Lowering {
  /// The list with zeros for elements of a shape, where that is known.
  mutating func filled(_ list: TensorList, _ shape: [Extent]?) throws(OpError) -> TensorList {
    guard let shape, list.value == nil else { return list }
    var list = list
    list.value = try filled([list.count] + shape, .zero(list.element), list.element)
    return list
  }

  /// A list of zeros like another one.
  mutating func zeros(_ list: TensorList) throws(OpError) -> TensorList {
    guard let value = list.value else { throw .unsupported("a list of elements of unknown shape") }
    return try filled(TensorList(element: list.element, count: list.count), Array(value.shape.dropFirst()))
  }

  /// The list's elements as a tensor.
  mutating func elements(_ list: TensorList, _ shape: [Extent]?) throws(OpError) -> Value {
    guard let value = try filled(list, shape).value else {
      throw .unsupported("a list of elements of unknown shape")
    }
    return value
  }
}
