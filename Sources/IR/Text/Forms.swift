extension Constant {
  static let text = TextForm("stablehlo.constant", "attr-dict constant") { (reader) throws(OpError) in
    guard case .dense(let value)? = reader["value"] else { throw OpError("'stablehlo.constant' needs a dense value") }
    return .constant(value)
  } write: { op, writer in
    if case .constant(let constant) = op { writer.set("value", .dense(constant.value)) }
  }
}

extension Transpose {
  static let text = TextForm(
    Transpose(permutation: []), "operands `,` `dims` `=` $permutation attr-dict `:` functional-type",
    attributes: [.integers("permutation", \.permutation)])
}

extension BroadcastInDim {
  static let text = TextForm(
    "stablehlo.broadcast_in_dim", "operands `,` `dims` `=` $broadcast_dimensions attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    let x = try reader.operand(0)
    var op = BroadcastInDim(
      dimensions: try reader.integers("broadcast_dimensions"), resultDimensions: try reader.result().dimensions)
    if !reader.hasExtents {
      for (extent, dimension) in zip(x.dimensions, op.dimensions)
      where op.resultDimensions.indices.contains(dimension) && extent != .one {
        if !op.resultDimensions[dimension].isFixed { op.resultDimensions[dimension] = extent }
      }
    }
    return .broadcastInDim(op)
  } write: { op, writer in
    if case .broadcastInDim(let op) = op { writer.set("broadcast_dimensions", integers: op.dimensions) }
  }
}

extension Reshape {
  static let text = TextForm("stablehlo.reshape", "operands attr-dict `:` functional-type") { (reader) throws(OpError) in
    .reshape(Reshape(resultDimensions: try reader.result().dimensions))
  }
}

extension Iota {
  static let text = TextForm(
    Iota(dimension: 0, resultType: .scalar(.i32)), "`dim` `=` $iota_dimension attr-dict `:` result-types",
    attributes: [.integer("iota_dimension", \.dimension), .resultType(\.resultType)])
}

extension Slice {
  static let text = TextForm(
    Slice(starts: [], limits: [], strides: []), "operands slice attr-dict `:` functional-type",
    attributes: [
      .extents("start_indices", \.starts), .extents("limit_indices", \.limits), .integers("strides", \.strides),
    ])
}

extension DynamicSlice {
  static let text = TextForm(
    DynamicSlice(sliceExtents: []), "operands `,` `sizes` `=` $slice_sizes attr-dict `:` functional-type",
    attributes: [.extents("slice_sizes", \.sliceExtents)])
}

extension DynamicUpdateSlice {
  static let text = TextForm(DynamicUpdateSlice(), "operands attr-dict `:` functional-type")
}

extension Concatenate {
  static let text = TextForm(
    Concatenate(dimension: 0), "operands `,` `dim` `=` $dimension attr-dict `:` functional-type",
    attributes: [.integer("dimension", \.dimension)])
}

extension Pad {
  static let text = TextForm(
    Pad(low: [], high: [], interior: []),
    "operands `,` `low` `=` $edge_padding_low `,` `high` `=` $edge_padding_high `,` `interior` `=` $interior_padding "
      + "attr-dict `:` functional-type",
    attributes: [
      .extents("edge_padding_low", \.low), .extents("edge_padding_high", \.high),
      .integers("interior_padding", \.interior),
    ])
}

extension Reverse {
  static let text = TextForm(
    Reverse(dimensions: []), "operands `,` `dims` `=` $dimensions attr-dict `:` same-type",
    attributes: [.integers("dimensions", \.dimensions)])
}

extension Reduce {
  static let text = TextForm(
    Reduce(dimensions: [], body: Graph()), "reduce",
    attributes: [.integers("dimensions", \.dimensions), .region(0, \.body)])
}

extension While {
  static let text = TextForm(
    While(condition: Graph(), body: Graph()), "loop", captures: .operands,
    attributes: [.region(0, \.condition), .region(1, \.body)])
}

extension If {
  static let text = TextForm(
    If(trueBranch: Graph(), falseBranch: Graph()), nil, captures: .operands,
    attributes: [.region(0, \.trueBranch), .region(1, \.falseBranch)])
}

extension Case {
  static let text = TextForm("stablehlo.case", nil, captures: .operands) { (reader) throws(OpError) in
    .case(Case(branches: reader.regions))
  }
}

extension Call {
  static let text = TextForm(
    Call(function: ""), "@callee `(` operands `)` attr-dict `:` functional-type",
    attributes: [.symbol("callee", \.function), .resultTypes(\.resultTypes)])
}

extension Composite {
  static let text = TextForm(
    Composite(name: "", decomposition: ""), "$name operands attr-dict `:` functional-type",
    attributes: [
      .string("name", \.name), .symbol("decomposition", \.decomposition), .resultTypes(\.resultTypes),
    ])
}

extension OptimizationBarrier {
  static let text = TextForm(OptimizationBarrier(), "operands attr-dict `:` pairwise-types")
}

extension Fusion {
  static let text = TextForm("tfc.fusion", nil) { (reader) throws(OpError) in
    .fusion(Fusion(anchor: try reader.enumeration("anchor"), body: try reader.region(0)))
  } write: { op, writer in
    if case .fusion(let fusion) = op { writer.set("anchor", .string(fusion.anchor.rawValue)) }
  }
}

extension Pointwise {
  static let convertText = TextForm("stablehlo.convert", "operands attr-dict `:` same-type") { (reader) throws(OpError) in
    .pointwise(.convert(try reader.result().elementType))
  }

  /// `bitcast_convert` changes the shape where the widths differ; then it is an op of its own.
  static let bitcastText = TextForm("stablehlo.bitcast_convert", "operands attr-dict `:` functional-type") {
    (reader) throws(OpError) in
    let (x, result) = (try reader.operand(0), try reader.result())
    guard x.elementType.bitWidth == result.elementType.bitWidth else {
      throw .unsupported("stablehlo.bitcast_convert from \(x.elementType) to \(result.elementType)")
    }
    return .pointwise(.bitcast(result.elementType))
  }

  static let reducePrecisionText = TextForm(
    "stablehlo.reduce_precision", "operands `,` `format` `=` reducedFormat attr-dict `:` same-type"
  ) { (reader) throws(OpError) in
    let exponentBits = try reader.integer("exponent_bits")
    let mantissaBits = try reader.integer("mantissa_bits")
    return .pointwise(.reducePrecision(exponentBits: exponentBits, mantissaBits: mantissaBits))
  } write: { op, writer in
    guard case .pointwise(let pointwise) = op,
      case .reducePrecision(let exponentBits, let mantissaBits) = pointwise.function
    else { return }
    writer.set("exponent_bits", .integer(Int64(exponentBits), "i32"))
    writer.set("mantissa_bits", .integer(Int64(mantissaBits), "i32"))
  }

  static let compareText = TextForm(
    "stablehlo.compare", "$comparison_direction `,` operands comparisonType attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    let x = try reader.operand(0).elementType
    // What is compared follows from the operands where the text does not say it.
    let standard: ComparisonType =
      switch x.kind {
      case .boolean, .unsigned: .unsigned
      case .signed: .signed
      case .float, .complex: .float
      }
    let direction: ComparisonDirection = try reader.enumeration("comparison_direction")
    var type: ComparisonType = standard
    if case .enumeration(_, "NOTYPE")? = reader["compare_type"] {} else {
      type = try reader.enumeration("compare_type", default: standard)
    }
    return .pointwise(.compare(direction, type))
  } write: { op, writer in
    guard case .pointwise(let pointwise) = op, case .compare(let direction, let type) = pointwise.function else {
      return
    }
    writer.set("compare_type", .enumeration(kind: "stablehlo<comparison_type", type.rawValue))
    writer.set("comparison_direction", .enumeration(kind: "stablehlo<comparison_direction", direction.rawValue))
  }
}

extension DotGeneral {
  static let text = TextForm(
    "stablehlo.dot_general", "operands dotDimensions attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    let body = try reader.body("dot_dimension_numbers")
    let dimensions = Contraction(
      lhsBatching: try reader.integers(body, "lhs_batching_dimensions"),
      rhsBatching: try reader.integers(body, "rhs_batching_dimensions"),
      lhsContracting: try reader.integers(body, "lhs_contracting_dimensions"),
      rhsContracting: try reader.integers(body, "rhs_contracting_dimensions"))
    return .dotGeneral(DotGeneral(dimensions, resultType: try reader.result().elementType))
  } write: { op, writer in
    guard case .dotGeneral(let op) = op else { return }
    let lists: [String: [Int]] = [
      "lhs_batching_dimensions": op.dimensions.lhsBatching, "rhs_batching_dimensions": op.dimensions.rhsBatching,
      "lhs_contracting_dimensions": op.dimensions.lhsContracting,
      "rhs_contracting_dimensions": op.dimensions.rhsContracting,
    ]
    let body = DialectBody(lists: lists.mapValues { $0.map { Int64($0) } })
    writer.set("dot_dimension_numbers", .dialect("stablehlo.dot", body: body.text))
  }
}

extension Convolution {
  static let text = TextForm(
    "stablehlo.convolution", "convolution attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    let (dimensions, window) = try reader.convolution()
    return .convolution(
      Convolution(
        window: window, dimensionNumbers: dimensions,
        featureGroupCount: try reader.integer("feature_group_count", default: 1),
        batchGroupCount: try reader.integer("batch_group_count", default: 1),
        resultType: try reader.result().elementType))
  } write: { op, writer in
    guard case .convolution(let op) = op else { return }
    writer.set("dimension_numbers", .dialect("stablehlo.conv", body: op.dimensionNumbers.text))
    writer.set(window: op.window)
    writer.set("feature_group_count", .integer(Int64(op.featureGroupCount)))
    writer.set("batch_group_count", .integer(Int64(op.batchGroupCount)))
  }
}

extension OpReader {
  /// The dimension numbers and the window of a convolution.
  func convolution() throws(OpError) -> (Convolution.DimensionNumbers, [WindowDimension]) {
    guard case .dialect(_, let body)? = self["dimension_numbers"] else {
      throw OpError("'\(name)' needs the attribute 'dimension_numbers'")
    }
    let dimensions = try Convolution.DimensionNumbers(parsing: body)
    let kernel = try operand(1)
    let count = dimensions.inputSpatial.count
    var extents: [Extent] = []
    for dimension in dimensions.kernelSpatial {
      guard kernel.dimensions.indices.contains(dimension) else {
        throw OpError("the dimension numbers of '\(name)' leave the \(kernel.rank) dimensions of the kernel")
      }
      extents.append(kernel.dimensions[dimension])
    }
    guard extents.count == count else { throw OpError("'\(name)' has a kernel of other spatial dimensions") }
    let ones = [Int](repeating: 1, count: count)
    let lists = [
      try integers("window_strides", default: ones), try integers("lhs_dilation", default: ones),
      try integers("rhs_dilation", default: ones),
      try integers("window_reversal", default: [Int](repeating: 0, count: count)),
    ]
    let padding = try pairs("padding") ?? [(Int, Int)](repeating: (0, 0), count: count)
    guard lists.allSatisfy({ $0.count == count }), padding.count == count else {
      throw OpError("the window of '\(name)' does not have \(count) dimensions")
    }
    let window = (0..<count).map { d in
      WindowDimension(
        extent: extents[d], stride: lists[0][d], paddingLow: padding[d].0, paddingHigh: padding[d].1,
        baseDilation: lists[1][d], windowDilation: lists[2][d], isReversed: lists[3][d] != 0)
    }
    return (dimensions, window)
  }
}

extension OpWriter {
  mutating func set(window: [WindowDimension]) {
    set("window_strides", integers: window.map(\.stride))
    set("padding", pairs: window.map { ($0.paddingLow, $0.paddingHigh) })
    set("lhs_dilation", integers: window.map(\.baseDilation))
    set("rhs_dilation", integers: window.map(\.windowDilation))
    set("window_reversal", booleans: window.map(\.isReversed))
  }
}

extension Convolution.DimensionNumbers {
  /// `[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]`
  var text: String {
    func list(_ first: (String, Int), _ second: (String, Int), _ spatial: [Int]) -> String {
      var names = [String](repeating: "", count: spatial.count + 2)
      let places = [first, second] + spatial.enumerated().map { ("\($0.offset)", $0.element) }
      for (name, dimension) in places where names.indices.contains(dimension) { names[dimension] = name }
      return "[\(names.joined(separator: ", "))]"
    }
    return list(("b", inputBatch), ("f", inputFeature), inputSpatial) + "x"
      + list(("i", kernelInputFeature), ("o", kernelOutputFeature), kernelSpatial) + "->"
      + list(("b", outputBatch), ("f", outputFeature), outputSpatial)
  }

  init(parsing body: String) throws(OpError) {
    if body.hasPrefix("raw") {
      self = try Self(raw: DialectBody(String(body.dropFirst(3))))
      return
    }
    let lists = body.split(separator: "]").map { $0.drop { $0 != "[" }.dropFirst() }
    guard lists.count == 3 else { throw OpError("'\(body)' are no dimension numbers") }
    func places(_ list: Substring, _ letters: (String, String)) throws(OpError) -> (Int, Int, [Int]) {
      let names = list.split(separator: ",").map(\.trimmingBlanks)
      guard let first = names.firstIndex(of: letters.0), let second = names.firstIndex(of: letters.1) else {
        throw OpError("dimension numbers [\(list)] do not name '\(letters.0)' and '\(letters.1)'")
      }
      var spatial: [Int] = []
      for number in 0..<max(0, names.count - 2) {
        guard let place = names.firstIndex(of: "\(number)") else {
          throw OpError("dimension numbers [\(list)] do not name dimension \(number)")
        }
        spatial.append(place)
      }
      return (first, second, spatial)
    }
    let input = try places(lists[0], ("b", "f"))
    let kernel = try places(lists[1], ("i", "o"))
    let output = try places(lists[2], ("b", "f"))
    self.init(
      inputBatch: input.0, inputFeature: input.1, inputSpatial: input.2, kernelInputFeature: kernel.0,
      kernelOutputFeature: kernel.1, kernelSpatial: kernel.2, outputBatch: output.0, outputFeature: output.1,
      outputSpatial: output.2)
  }

  /// The spelling for dimensions that are no permutation: `raw input_batch_dimension = 0, …`.
  private init(raw body: DialectBody) throws(OpError) {
    func one(_ key: String) throws(OpError) -> Int {
      guard let values = body.integers(key), values.count == 1 else { throw OpError("dimension numbers without '\(key)'") }
      return values[0]
    }
    func list(_ key: String) throws(OpError) -> [Int] {
      guard let values = body.integers(key) else { throw OpError("dimension numbers without '\(key)'") }
      return values
    }
    self.init(
      inputBatch: try one("input_batch_dimension"), inputFeature: try one("input_feature_dimension"),
      inputSpatial: try list("input_spatial_dimensions"),
      kernelInputFeature: try one("kernel_input_feature_dimension"),
      kernelOutputFeature: try one("kernel_output_feature_dimension"),
      kernelSpatial: try list("kernel_spatial_dimensions"), outputBatch: try one("output_batch_dimension"),
      outputFeature: try one("output_feature_dimension"), outputSpatial: try list("output_spatial_dimensions"))
  }
}
