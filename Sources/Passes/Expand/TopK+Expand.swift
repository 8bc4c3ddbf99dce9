import IR

extension TopK {
  /// The first `k` of a stable sort in descending total order, with positions.
  func expand(_ x: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let type = c.type(x[0])
    let last = type.rank - 1
    let positions = try c.append(.iota(Iota(dimension: last, resultType: type.with(.i32))))
    var comparator = Graph()
    let (a, b) = (
      comparator.addParameter(.scalar(type.elementType)), comparator.addParameter(.scalar(type.elementType))
    )
    comparator.addParameter(.scalar(.i32))
    comparator.addParameter(.scalar(.i32))
    let order: ComparisonType =
      type.elementType.isFloat ? .totalOrder : type.elementType.kind == .signed ? .signed : .unsigned
    comparator.results = [try comparator.append(.pointwise(.compare(.greater, order)), [a, b])]
    let sorted = try c.append(.sort(Sort(dimension: last, isStable: true, comparator: comparator)), x[0], positions)
    let limits = type.dimensions.dropLast() + [Extent(k)]
    let slice = Slice(
      starts: type.dimensions.map { _ in .zero }, limits: Array(limits), strides: type.dimensions.map { _ in 1 })
    var results: [ValueID] = []
    for value in c.graph.results(of: sorted) { results.append(try c.append(.slice(slice), value)) }
    return results
  }
}
