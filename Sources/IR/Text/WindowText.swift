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
      guard let values = body.integers(key), values.count == 1 else {
        throw OpError("dimension numbers without '\(key)'")
      }
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

extension DialectBody {
  /// The fields of gather and scatter dimension numbers, as MLIR writes them: empty lists and zero are left out.
  init(dimensionNumbers lists: [(String, [Int])], indexVectorDim: Int) {
    self.init("")
    for (key, values) in lists where !values.isEmpty { append(key, values) }
    if indexVectorDim != 0 { append("index_vector_dim", indexVectorDim) }
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
