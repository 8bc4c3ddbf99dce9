extension Gather {
  static let text = TextForm("stablehlo.gather", nil) { (reader) throws(OpError) in
    let body = try reader.body("dimension_numbers")
    return .gather(
      Gather(
        offsetDims: try reader.integers(body, "offset_dims"),
        collapsedSliceDims: try reader.integers(body, "collapsed_slice_dims"),
        operandBatchingDims: try reader.integers(body, "operand_batching_dims"),
        startIndicesBatchingDims: try reader.integers(body, "start_indices_batching_dims"),
        startIndexMap: try reader.integers(body, "start_index_map"),
        indexVectorDim: try reader.integers(body, "index_vector_dim").first ?? 0,
        sliceExtents: try reader.extents("slice_sizes"),
        indicesAreSorted: try reader.boolean("indices_are_sorted", default: false)))
  } write: { op, writer in
    guard case .gather(let op) = op else { return }
    writer.set("dimension_numbers", .dialect("stablehlo.gather", body: op.dimensionNumbersText))
    writer.set("indices_are_sorted", .boolean(op.indicesAreSorted))
    writer.set("slice_sizes", extents: op.sliceExtents)
  }

  /// The fields of `#stablehlo.gather<…>`.
  fileprivate var dimensionNumbersText: String {
    DialectBody(
      dimensionNumbers: [
        ("offset_dims", offsetDims), ("collapsed_slice_dims", collapsedSliceDims),
        ("operand_batching_dims", operandBatchingDims), ("start_indices_batching_dims", startIndicesBatchingDims),
        ("start_index_map", startIndexMap),
      ], indexVectorDim: indexVectorDim
    ).text
  }
}

extension DynamicGather {
  static let text = TextForm("stablehlo.dynamic_gather", nil) { (reader) throws(OpError) in
    let body = try reader.body("dimension_numbers")
    return .dynamicGather(
      DynamicGather(
        offsetDims: try reader.integers(body, "offset_dims"),
        collapsedSliceDims: try reader.integers(body, "collapsed_slice_dims"),
        operandBatchingDims: try reader.integers(body, "operand_batching_dims"),
        startIndicesBatchingDims: try reader.integers(body, "start_indices_batching_dims"),
        startIndexMap: try reader.integers(body, "start_index_map"),
        indexVectorDim: try reader.integers(body, "index_vector_dim").first ?? 0,
        indicesAreSorted: try reader.boolean("indices_are_sorted", default: false), resultType: try reader.result()))
  } write: { op, writer in
    guard case .dynamicGather(let op) = op else { return }
    writer.set("dimension_numbers", .dialect("stablehlo.gather", body: op.gather(sliceExtents: []).dimensionNumbersText))
    writer.set("indices_are_sorted", .boolean(op.indicesAreSorted))
  }
}

extension DialectBody {
  /// The fields of gather and scatter dimension numbers, as MLIR writes them: empty lists and zero are left out.
  init(dimensionNumbers lists: [(String, [Int])], indexVectorDim: Int) {
    self.init("")
    for (key, values) in lists where !values.isEmpty { append(key, values) }
    if indexVectorDim != 0 { append("index_vector_dim", indexVectorDim) }
  }
}

extension Scatter {
  static let text = TextForm("stablehlo.scatter", nil) { (reader) throws(OpError) in
    let body = try reader.body("scatter_dimension_numbers")
    return .scatter(
      Scatter(
        updateWindowDims: try reader.integers(body, "update_window_dims"),
        insertedWindowDims: try reader.integers(body, "inserted_window_dims"),
        inputBatchingDims: try reader.integers(body, "input_batching_dims"),
        scatterIndicesBatchingDims: try reader.integers(body, "scatter_indices_batching_dims"),
        scatterDimsToOperandDims: try reader.integers(body, "scatter_dims_to_operand_dims"),
        indexVectorDim: try reader.integers(body, "index_vector_dim").first ?? 0,
        indicesAreSorted: try reader.boolean("indices_are_sorted", default: false),
        uniqueIndices: try reader.boolean("unique_indices", default: false), body: try reader.region(0)))
  } write: { op, writer in
    guard case .scatter(let op) = op else { return }
    let body = DialectBody(
      dimensionNumbers: [
        ("update_window_dims", op.updateWindowDims), ("inserted_window_dims", op.insertedWindowDims),
        ("input_batching_dims", op.inputBatchingDims),
        ("scatter_indices_batching_dims", op.scatterIndicesBatchingDims),
        ("scatter_dims_to_operand_dims", op.scatterDimsToOperandDims),
      ], indexVectorDim: op.indexVectorDim)
    writer.set("indices_are_sorted", .boolean(op.indicesAreSorted))
    writer.set("scatter_dimension_numbers", .dialect("stablehlo.scatter", body: body.text))
    writer.set("unique_indices", .boolean(op.uniqueIndices))
  }
}

extension ReduceWindow {
  static let text = TextForm("stablehlo.reduce_window", nil) { (reader) throws(OpError) in
    .reduceWindow(ReduceWindow(window: try reader.window(), body: try reader.region(0)))
  } write: { op, writer in
    guard case .reduceWindow(let op) = op else { return }
    writer.set("window_dimensions", extents: op.window.map(\.extent))
    writer.set("window_strides", integers: op.window.map(\.stride))
    writer.set("base_dilations", integers: op.window.map(\.baseDilation))
    writer.set("window_dilations", integers: op.window.map(\.windowDilation))
    writer.set("padding", pairs: op.window.map { ($0.paddingLow, $0.paddingHigh) })
  }
}

extension OpReader {
  /// The window of `reduce_window` or `select_and_scatter`.
  func window() throws(OpError) -> [WindowDimension] {
    let count = try operand(0).rank
    let ones = [Int](repeating: 1, count: count)
    let extents = self["window_dimensions"] == nil ? ones.map { Extent($0) } : try extents("window_dimensions")
    let strides = try integers("window_strides", default: ones)
    let baseDilations = try integers("base_dilations", default: ones)
    let windowDilations = try integers("window_dilations", default: ones)
    let padding = try pairs("padding") ?? [(Int, Int)](repeating: (0, 0), count: count)
    let counts = [extents.count, strides.count, baseDilations.count, windowDilations.count, padding.count]
    guard counts.allSatisfy({ $0 == count }) else {
      throw OpError("the window of '\(name)' does not have the operand's \(count) dimensions")
    }
    return (0..<count).map { d in
      WindowDimension(
        extent: extents[d], stride: strides[d], paddingLow: padding[d].0, paddingHigh: padding[d].1,
        baseDilation: baseDilations[d], windowDilation: windowDilations[d])
    }
  }
}

extension SelectAndScatter {
  static let text = TextForm("stablehlo.select_and_scatter", nil) { (reader) throws(OpError) in
    .selectAndScatter(
      SelectAndScatter(window: try reader.window(), select: try reader.region(0), scatter: try reader.region(1)))
  } write: { op, writer in
    guard case .selectAndScatter(let op) = op else { return }
    writer.set("window_dimensions", extents: op.window.map(\.extent))
    writer.set("window_strides", integers: op.window.map(\.stride))
    writer.set("padding", pairs: op.window.map { ($0.paddingLow, $0.paddingHigh) })
  }
}

extension Sort {
  static let text = TextForm("stablehlo.sort", nil) { (reader) throws(OpError) in
    let rank = try reader.operand(0).rank
    let dimension = try reader.integer("dimension", default: -1)
    return .sort(
      Sort(
        dimension: dimension < 0 ? dimension + rank : dimension,
        isStable: try reader.boolean("is_stable", default: false), comparator: try reader.region(0)))
  } write: { op, writer in
    guard case .sort(let op) = op else { return }
    writer.set("dimension", .integer(Int64(op.dimension)))
    writer.set("is_stable", .boolean(op.isStable))
  }
}

extension TopK {
  static let text = TextForm(
    TopK(k: 0), "`(` operands `,` `k` `=` $k `)` attr-dict `:` arrow-types", attributes: [.integer("k", \.k)])
}

extension BatchNormInference {
  static let text = TextForm(
    BatchNormInference(epsilon: 0, featureIndex: 0), nil,
    attributes: [.real("epsilon", \.epsilon), .integer("feature_index", \.featureIndex)])
}

extension BatchNormTraining {
  static let text = TextForm(
    BatchNormTraining(epsilon: 0, featureIndex: 0), nil,
    attributes: [.real("epsilon", \.epsilon), .integer("feature_index", \.featureIndex)])
}

extension BatchNormGrad {
  static let text = TextForm(
    BatchNormGrad(epsilon: 0, featureIndex: 0), nil,
    attributes: [.real("epsilon", \.epsilon), .integer("feature_index", \.featureIndex)])
}

extension RngBitGenerator {
  static let text = TextForm(
    "stablehlo.rng_bit_generator", "operands `,` `algorithm` `=` $rng_algorithm attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    guard reader.resultTypes.count == 2 else { throw OpError("'\(reader.name)' has 2 results") }
    return .rngBitGenerator(
      RngBitGenerator(algorithm: try reader.enumeration("rng_algorithm"), resultType: reader.resultTypes[1]))
  } write: { op, writer in
    guard case .rngBitGenerator(let op) = op else { return }
    writer.set("rng_algorithm", .enumeration(kind: "stablehlo<rng_algorithm", op.algorithm.rawValue))
  }
}

extension GetDimensionSize {
  static let text = TextForm(
    GetDimensionSize(dimension: 0), "operands `,` `dim` `=` $dimension attr-dict `:` functional-type",
    attributes: [.integer("dimension", \.dimension)])
}

extension ExtentValue {
  static let text = TextForm("tfc.extent", nil) { (reader) throws(OpError) in
    let extent = try Extent(parsing: try reader.string("extent"))
    return .extentValue(ExtentValue(extent: extent, elementType: try reader.result().elementType))
  } write: { op, writer in
    if case .extentValue(let op) = op { writer.set("extent", .string(op.extent.text)) }
  }
}

extension DynamicReshape {
  static let text = TextForm(
    DynamicReshape(resultType: .scalar(.f32)), "operands attr-dict `:` functional-type",
    attributes: [.resultType(\.resultType)])
}

extension DynamicBroadcastInDim {
  static let text = TextForm(
    DynamicBroadcastInDim(dimensions: [], resultType: .scalar(.f32)),
    "operands `,` `dims` `=` $broadcast_dimensions attr-dict `:` functional-type",
    attributes: [.integers("broadcast_dimensions", \.dimensions), .resultType(\.resultType)])
}

extension DynamicIota {
  static let text = TextForm(
    DynamicIota(dimension: 0, resultType: .scalar(.i32)),
    "operands `,` `dim` `=` $iota_dimension attr-dict `:` functional-type",
    attributes: [.integer("iota_dimension", \.dimension), .resultType(\.resultType)])
}

extension DynamicPad {
  static let text = TextForm(
    DynamicPad(resultType: .scalar(.f32)), "operands attr-dict `:` functional-type",
    attributes: [.resultType(\.resultType)])
}

extension RealDynamicSlice {
  static let text = TextForm(
    RealDynamicSlice(resultType: .scalar(.f32)), "operands attr-dict `:` functional-type",
    attributes: [.resultType(\.resultType)])
}

extension DynamicConv {
  static let text = TextForm("stablehlo.dynamic_conv", nil) { (reader) throws(OpError) in
    let (dimensions, window) = try reader.convolution()
    return .dynamicConv(
      DynamicConv(
        window: window, dimensionNumbers: dimensions,
        featureGroupCount: try reader.integer("feature_group_count", default: 1),
        batchGroupCount: try reader.integer("batch_group_count", default: 1), resultType: try reader.result()))
  } write: { op, writer in
    guard case .dynamicConv(let op) = op else { return }
    writer.set("dimension_numbers", .dialect("stablehlo.conv", body: op.dimensionNumbers.text))
    writer.set("window_strides", integers: op.window.map(\.stride))
    writer.set("lhs_dilation", integers: op.window.map(\.baseDilation))
    writer.set("rhs_dilation", integers: op.window.map(\.windowDilation))
    writer.set("window_reversal", booleans: op.window.map(\.isReversed))
    writer.set("feature_group_count", .integer(Int64(op.featureGroupCount)))
    writer.set("batch_group_count", .integer(Int64(op.batchGroupCount)))
  }
}

extension CustomCall {
  static let text = TextForm(
    "stablehlo.custom_call", "@call_target_name `(` operands `)` attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    var attributes: [String: String] = [:]
    for attribute in reader.attributes
    where attribute.name != "call_target_name" && !attribute.name.hasPrefix("tfc.") {
      var printer = SyntaxPrinter()
      printer.attribute(attribute.value)
      attributes[attribute.name] = printer.text
    }
    return .customCall(
      CustomCall(
        target: try reader.string("call_target_name"), resultTypes: reader.resultTypes, attributes: attributes))
  } write: { op, writer in
    guard case .customCall(let op) = op else { return }
    writer.set("call_target_name", .string(op.target))
    for (name, text) in op.attributes.sorted(by: { $0.key < $1.key }) { writer.set(name, .other(text)) }
  }
}

extension Fft {
  static let text = TextForm(
    Fft(kind: .forward, lengths: []),
    "operands `,` `type` `=` $fft_type `,` `length` `=` $fft_length attr-dict `:` functional-type",
    attributes: [
      .enumeration("fft_type", kind: "stablehlo<fft_type", \.kind), .integers("fft_length", \.lengths),
    ])
}

extension Cholesky {
  static let text = TextForm(
    Cholesky(), "operands `,` `lower` `=` $lower attr-dict `:` same-type", attributes: [.boolean("lower", \.lower)])
}

extension TriangularSolve {
  static let text = TextForm(
    TriangularSolve(leftSide: true, lower: true), nil,
    attributes: [
      .boolean("left_side", \.leftSide), .boolean("lower", \.lower), .boolean("unit_diagonal", \.unitDiagonal),
      .enumeration("transpose_a", kind: "stablehlo<transpose", \.transposeA, default: TriangularSolve.Transposition.none),
    ])
}
