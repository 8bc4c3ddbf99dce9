import IR

extension SchedulingRequest {
  /// A convolution's weights: for each group panels of some output features, as deep as window and input features, of which
  /// `piece` neighbours lie side by side.
  func featurePanels(
    of convolution: Convolution, _ kernel: ValueID, groups: Int, width: Int, count: Int, piece: Int = 1
  ) -> PackedPanels.Source {
    let numbers = convolution.dimensionNumbers
    let type = body.type(of: kernel)
    let groupOutputs = (type.dimensions[numbers.kernelOutputFeature].fixed ?? 0) / groups
    // The output features, split into groups and the features of one.
    var split = type.dimensions
    let feature = numbers.kernelOutputFeature
    split[feature] = Extent(groupOutputs)
    split.insert(Extent(groups), at: feature)
    let shifted = { (d: Int) in d >= feature ? d + 1 : d }
    let depth = (numbers.kernelSpatial + [numbers.kernelInputFeature]).map(shifted)
    if case .parameter(let parameter) = body[kernel].op, let literal = constants[parameter.index],
      let dimensions = TensorType(type.elementType, split).fixedDimensions,
      let packed = literal.reshaped(dimensions).packedInPanels(
        batching: [feature], depth: depth, columns: [feature + 1], width: width, piece: piece)
    {
      return .constant(packed)
    }
    var graph = body
    graph.results = []
    let grouped = graph.moving(kernel, .reshape(Reshape(resultDimensions: split)))
    let ordered = graph.moving(grouped, .transpose(Transpose(permutation: [feature] + depth + [feature + 1])))
    let depthCount = depth.reduce(Extent.one) { $0 * split[$1] }
    let flat = graph.moving(
      ordered, .reshape(Reshape(resultDimensions: [Extent(groups), depthCount, Extent(groupOutputs)])))
    let zero = graph.moving(nil, .constant(.scalar(.zero(type.elementType), type.elementType)))
    let missing = Extent(count * width - groupOutputs)
    let padded = graph.moving(flat, .pad(Pad(low: [0, 0, 0], high: [0, 0, missing], interior: [0, 0, 0])), zero)
    let steps = depthCount.floorDivided(by: Extent(piece))
    let pieces = piece == 1 ? [] : [Extent(piece)]
    let shape = [Extent(groups), steps] + pieces + [Extent(count), Extent(width)]
    let divided = graph.moving(padded, .reshape(Reshape(resultDimensions: shape)))
    let permutation = piece == 1 ? [0, 2, 1, 3] : [0, 3, 1, 4, 2]
    graph.results = [graph.moving(divided, .transpose(Transpose(permutation: permutation)))]
    return .computed(graph)
  }

  /// Which parameters are read to compute the results from the anchor's elements.
  func parametersRead(after anchor: ValueID) -> [Bool] {
    var seen: Set<ValueID> = [anchor]
    var pending = body.results
    while let value = pending.popLast() {
      guard seen.insert(value).inserted else { continue }
      pending += body[value].operands
    }
    return body.parameters.map(seen.contains)
  }
}
