import IR

/// Keys and values in the order in which an attention's products read them.
extension AttentionNest {
  /// For each batch the panels of `width` keys, each as deep as a key is long; keys that are missing are zero. Steps that one
  /// product multiplies lie side by side.
  var packedKeys: Graph {
    var graph = body
    graph.results = []
    let order = keySide.batching + keySide.contracting + keySide.free
    let dimensions: [Extent] = [batchCount, Extent(depthCount), keyCount]
    let flat = graph.reordered(keys, order, dimensions, factorType)
    let padded = graph.padded(flat, high: [0, 0, panelCount * tiling.width - keyCount])
    let pieces = words == nil ? [] : [Extent(stepLength)]
    let split = [batchCount, Extent(depthCount / stepLength)] + pieces + [panelCount, Extent(tiling.width)]
    let panels = graph.moving(padded, .reshape(Reshape(resultDimensions: split)))
    let permutation = words == nil ? [0, 2, 1, 3] : [0, 3, 1, 4, 2]
    graph.results = [graph.moving(panels, .transpose(Transpose(permutation: permutation)))]
    return graph
  }

  /// The same at compile time, where the keys are known.
  var constantKeys: Literal? {
    guard case .parameter(let parameter) = body[keys].op, let literal = request.constants[parameter.index],
      literal.elementType == sumType
    else { return nil }
    return literal.converted(to: factorType).packedInPanels(
      batching: keySide.batching, depth: keySide.contracting, columns: keySide.free, width: tiling.width,
      piece: stepLength)
  }

  /// For each batch and key a row of values; for keys that one product multiplies, their values of a column side by side.
  var packedValues: Graph {
    var graph = body
    graph.results = []
    let order = valueSide.batching + valueSide.contracting + valueSide.free
    let rows = graph.reordered(values, order, [batchCount, keyCount, Extent(columnCount)], factorType)
    graph.results = [rows]
    guard words != nil else { return graph }
    let padded = graph.padded(rows, high: [0, valueRowCount * stepLength - keyCount, 0])
    let split = [batchCount, valueRowCount, Extent(stepLength), Extent(columnCount)]
    let divided = graph.moving(padded, .reshape(Reshape(resultDimensions: split)))
    graph.results = [graph.moving(divided, .transpose(Transpose(permutation: [0, 1, 3, 2])))]
    return graph
  }
}

extension Graph {
  /// The value in another order and under other dimensions, as elements of `type`.
  fileprivate mutating func reordered(
    _ value: ValueID, _ order: [Int], _ dimensions: [Extent], _ type: ElementType
  ) -> ValueID {
    let transposed = moving(value, .transpose(Transpose(permutation: order)))
    let flat = moving(transposed, .reshape(Reshape(resultDimensions: dimensions)))
    return self.type(of: flat).elementType == type ? flat : moving(flat, .pointwise(.convert(type)))
  }
}
