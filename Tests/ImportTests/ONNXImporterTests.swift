import Foundation
import IR
import ImportONNX
import Testing

@Suite struct ONNXImporterTests {
  typealias Model = ONNXTestModel

  /// The model's results for these arguments, by the IR's own meaning.
  private func run(_ model: Model, _ arguments: [Literal]) throws -> [Literal] {
    let module = try ONNXImporter().module(from: model.bytes)
    let function = try #require(module.entry)
    return try function.evaluate(arguments, in: module)
  }

  private func error(_ model: Model) -> ONNXError? {
    do throws(ONNXError) {
      _ = try ONNXImporter().module(from: model.bytes)
      return nil
    } catch {
      return error
    }
  }

  // MARK: Shapes

  /// A reshape to `[batch, seq, 2, 3]`, computed from the input's shape, has these extents in its type.
  @Test func shapeArithmeticBecomesExtents() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["batch", "seq", 6])],
      constants: [("zero", .integers([0])), ("one", .integers([1])), ("heads", .integers([2, 3]))],
      nodes: [
        .init("Shape", ["x"], ["shape"]), .init("Gather", ["shape", "zero"], ["batch"]),
        .init("Gather", ["shape", "one"], ["seq"]),
        .init("Concat", ["batch", "seq", "heads"], ["target"], [("axis", .int(0))]),
        .init("Reshape", ["x", "target"], ["split"]),
        .init("Transpose", ["split"], ["y"], [("perm", .ints([0, 2, 1, 3]))]),
      ], outputs: ["y"])
    let module = try ONNXImporter().module(from: model.bytes)
    let graph = try #require(module.entry).graph
    #expect(graph.nodes.map(\.op.mnemonic) == ["parameter", "stablehlo.reshape", "stablehlo.transpose"])
    #expect(graph.resultTypes[0].detailedDescription == "tensor<[batch]x2x[seq]x3xf32>")
    let results = try run(model, [.floats([1, 2, 6], (0..<12).map(Double.init))])
    #expect(results[0].dimensions == [1, 2, 2, 3])
    #expect(results[0].numbers == [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11])
  }

  @Test func symbolsWithValuesAreFixed() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["batch", "", 6])], nodes: [.init("Relu", ["x"], ["y"])], outputs: ["y"])
    var importer = ONNXImporter()
    importer.symbols = ["batch": 4]
    let module = try importer.module(from: model.bytes)
    #expect(module.entry?.graph.parameterTypes[0].detailedDescription == "tensor<4x[x_dim_1]x6xf32>")
  }

  @Test func rangeOverASymbolIsAnIota() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n"])],
      constants: [
        ("zero", .scalar(.integer(0), .i64)), ("one", .scalar(.integer(1), .i64)), ("none", .integers([0])),
      ],
      nodes: [
        .init("Shape", ["x"], ["shape"]), .init("Squeeze", ["shape", "none"], ["n"]),
        .init("Range", ["zero", "n", "one"], ["y"]),
      ], outputs: ["y"])
    #expect(try run(model, [.floats([3], [9, 9, 9])])[0].numbers == [0, 1, 2])
  }

  /// The greatest elements are so many only where the dimension has them.
  @Test func greatestElementsCarryBounds() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n"])], constants: [("k", .integers([3]))],
      nodes: [.init("TopK", ["x", "k"], ["y", "places"])], outputs: ["y"])
    let module = try ONNXImporter().module(from: model.bytes)
    #expect(module.symbolBounds[Symbol("n")] == SymbolBounds(lower: 3))
    #expect(try run(model, [.floats([4], [1, 4, 2, 3])])[0].numbers == [4, 3, 2])
  }

  /// Positions from the end of a symbolic dimension hold only where the dimension is long enough.
  @Test func slicesOfSymbolsCarryBounds() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n"])],
      constants: [("start", .integers([-2])), ("end", .integers([.max])), ("axis", .integers([0]))],
      nodes: [.init("Slice", ["x", "start", "end", "axis"], ["y"])], outputs: ["y"])
    let module = try ONNXImporter().module(from: model.bytes)
    #expect(module.symbolBounds[Symbol("n")] == SymbolBounds(lower: 2))
    #expect(module.entry?.graph.resultTypes[0] == TensorType(.f32, fixed: [2]))
    #expect(try run(model, [.floats([3], [1, 2, 3])])[0].numbers == [2, 3])
  }

  /// A table of positions cut to as many as there are words: where both meet, there are no more words than positions.
  @Test(arguments: ["Add", "Concat", "Expand"]) func tablesLimitSymbols(_ op: String) throws {
    var nodes: [Model.Node] = [
      .init("Shape", ["x"], ["n"]), .init("Slice", ["table", "zero", "n", "zero"], ["cut"]),
    ]
    switch op {
    case "Add": nodes.append(.init("Add", ["x", "cut"], ["y"]))
    case "Concat":
      nodes += [
        .init("Unsqueeze", ["x", "one"], ["xs"]), .init("Unsqueeze", ["cut", "one"], ["cuts"]),
        .init("Concat", ["xs", "cuts"], ["y"], [("axis", .int(1))]),
      ]
    default: nodes.append(.init("Expand", ["cut", "n"], ["y"]))
    }
    let model = Model(
      inputs: [.init("x", .f32, ["n"])],
      constants: [("table", .floats([4], [10, 20, 30, 40])), ("zero", .integers([0])), ("one", .integers([1]))],
      nodes: nodes, outputs: ["y"])
    let module = try ONNXImporter().module(from: model.bytes)
    #expect(module.symbolBounds[Symbol("n")] == SymbolBounds(upper: 4))
    for count in [0, 1, 3, 4] {
      let x = (0..<count).map { Double($0) }
      let positions = (0..<count).map { Double(10 * $0 + 10) }
      let expected =
        switch op {
        case "Add": zip(x, positions).map { $0 + $1 }
        case "Concat": zip(x, positions).flatMap { [$0, $1] }
        default: positions
        }
      #expect(try run(model, [.floats([count], x)])[0].numbers == expected)
    }
    var importer = ONNXImporter()
    importer.symbolBounds["n"] = SymbolBounds(lower: 2, upper: 9)
    #expect(try importer.module(from: model.bytes).symbolBounds[Symbol("n")] == SymbolBounds(lower: 2, upper: 4))
  }

  /// Differences of what has its first element twice, as exporters write where positions begin anew.
  @Test func differencesOfWhatIsPrepended() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n"])],
      constants: [
        ("zero", .integers([0])), ("one", .integers([1])), ("last", .integers([-1])), ("end", .integers([.max])),
      ],
      nodes: [
        .init("Slice", ["x", "zero", "one", "zero"], ["first"]),
        .init("Concat", ["first", "x"], ["xs"], [("axis", .int(0))]),
        .init("Slice", ["xs", "one", "end", "zero"], ["after"]),
        .init("Slice", ["xs", "zero", "last", "zero"], ["before"]), .init("Sub", ["after", "before"], ["d"]),
        .init("Mul", ["d", "x"], ["y"]),
      ], outputs: ["y"])
    #expect(try run(model, [.floats([4], [3, 5, 4, 4])])[0].numbers == [0, 10, -4, 0])
    #expect(try run(model, [.floats([1], [3])])[0].numbers == [0])
  }

  /// A bound that is known by the time the extents meet, and one that only a branch needs which is not taken then.
  @Test func boundsAreAsWideAsCanBe() throws {
    let constants: [(String, Literal)] = [
      ("table", .floats([4], [10, 20, 30, 40])), ("zero", .integers([0])), ("one", .integers([1])),
      ("four", .scalar(.integer(4), .i64)), ("end", .integers([.max])), ("first", .scalar(.integer(1), .i64)),
      ("three", .integers([3])),
    ]
    let cut: [Model.Node] = [
      .init("Shape", ["x"], ["n"]), .init("Slice", ["table", "zero", "n", "zero"], ["cut"]),
    ]
    let counted = Model(
      inputs: [.init("x", .i64, ["n"])], constants: constants,
      nodes: [
        .init("Size", ["x"], ["size"]), .init("Range", ["first", "size", "first"], ["r"]),
        .init("Concat", ["r", "zero"], ["c"], [("axis", .int(0))]),
        .init("Slice", ["x", "one", "end", "zero"], ["rest"]), .init("Add", ["x", "c"], ["y"]),
      ], outputs: ["y", "rest"])
    #expect(try ONNXImporter().module(from: counted.bytes).symbolBounds[Symbol("n")] == SymbolBounds(lower: 1))
    let product = Model(
      inputs: [.init("x", .f32, ["b", "n"]), .init("y", .f32, ["b", "n"])], constants: constants,
      nodes: [
        .init("Slice", ["x", "one", "end", "one"], ["rest"]),
        .init("Slice", ["x", "zero", "one", "one"], ["first_one"]),
        .init("Concat", ["first_one", "rest"], ["same"], [("axis", .int(1))]), .init("Add", ["same", "y"], ["z"]),
      ], outputs: ["z"])
    #expect(
      try ONNXImporter().module(from: product.bytes).symbolBounds[Symbol("b")] ?? SymbolBounds() == SymbolBounds())
    let branches = Model(
      inputs: [.init("x", .f32, ["n"])], constants: constants,
      nodes: cut + [
        .init("Size", ["x"], ["size"]), .init("Greater", ["size", "four"], ["isLong"]),
        .init(
          "If", ["isLong"], ["y"],
          [
            (
              "then_branch",
              .graph(
                Model.Graph(
                  nodes: [
                    .init("Slice", ["x", "three", "end", "zero"], ["long"]),
                    .init("ReduceSum", ["long"], ["a"], [("keepdims", .int(0))]),
                  ], outputs: ["a"]))
            ),
            (
              "else_branch",
              .graph(
                Model.Graph(
                  nodes: [
                    .init("Add", ["x", "cut"], ["sum"]), .init("ReduceSum", ["sum"], ["b"], [("keepdims", .int(0))]),
                  ], outputs: ["b"]))
            ),
          ]),
      ], outputs: ["y"])
    #expect(try ONNXImporter().module(from: branches.bytes).symbolBounds[Symbol("n")] == SymbolBounds(upper: 4))
    #expect(try run(branches, [.floats([1], [5])])[0].numbers == [15])
  }

  /// What the caller allows and what the model needs exclude each other.
  @Test func boundsWithoutAValueAreRefused() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n"])],
      constants: [("start", .integers([5])), ("end", .integers([.max])), ("axis", .integers([0]))],
      nodes: [.init("Slice", ["x", "start", "end", "axis"], ["y"])], outputs: ["y"])
    var importer = ONNXImporter()
    importer.symbolBounds["n"] = SymbolBounds(lower: 1, upper: 3)
    let expected = "dimension 'n' would have to be at least 5 and at most 3"
    #expect(performing: { try importer.module(from: model.bytes) }, throws: { ($0 as? ONNXError)?.lines == [expected] })
  }

  @Test(arguments: [
    (0, 4, 1, [0.0, 1, 2, 3]), (-1, -5, -2, [3, 1]), (1, 100, 2, [1, 3]), (3, 1, 1, []), (-100, 2, 1, [0, 1]),
  ])
  func slicesFollowPython(_ start: Int, _ end: Int, _ step: Int, _ expected: [Double]) throws {
    let model = Model(
      inputs: [.init("x", .f32, [4])],
      constants: [
        ("start", .integers([start])), ("end", .integers([end])), ("axis", .integers([-1])),
        ("step", .integers([step])),
      ], nodes: [.init("Slice", ["x", "start", "end", "axis", "step"], ["y"])], outputs: ["y"])
    #expect(try run(model, [.floats([4], [0, 1, 2, 3])])[0].numbers == expected)
  }

  /// Shapes that are inputs take the values that the caller knows; without them they are refused.
  @Test func inputValuesAnswerForShapes() throws {
    let model = Model(
      inputs: [.init("x", .f32, [2, 3]), .init("shape", .i64, [1])],
      nodes: [.init("Reshape", ["x", "shape"], ["y"], name: "flat")], outputs: ["y"])
    #expect(error(model)?.lines == ["Reshape (node 'flat'): its shape must be known when the graph is read"])
    var importer = ONNXImporter()
    importer.inputValues["shape"] = .integers([-1])
    let module = try importer.module(from: model.bytes)
    #expect(module.entry?.graph.resultTypes[0] == TensorType(.f32, fixed: [6]))
    #expect(module.entry?.parameterNames == ["x", "shape"])
  }

  // MARK: Versions

  @Test func softmaxChangedItsAxes() throws {
    func model(_ opset: Int) -> Model {
      Model(
        opset: opset, inputs: [.init("x", .f32, [1, 2, 2])],
        nodes: [.init("Softmax", ["x"], ["y"], [("axis", .int(1))])],
        outputs: ["y"])
    }
    let x = Literal.floats([1, 2, 2], [0, 0, 0, 0])
    #expect(try run(model(12), [x])[0].numbers == [0.25, 0.25, 0.25, 0.25])
    #expect(try run(model(13), [x])[0].numbers == [0.5, 0.5, 0.5, 0.5])
  }

  @Test func axesMovedFromAttributesToInputs() throws {
    let old = Model(
      opset: 11, inputs: [.init("x", .f32, [1, 2])], nodes: [.init("Squeeze", ["x"], ["y"], [("axes", .ints([0]))])],
      outputs: ["y"])
    #expect(try run(old, [.floats([1, 2], [1, 2])])[0].dimensions == [2])
    let new = Model(
      opset: 13, inputs: [.init("x", .f32, [1, 2])],
      nodes: [.init("Squeeze", ["x"], ["y"], [("axes", .ints([0]))], name: "s")], outputs: ["y"])
    #expect(error(new)?.lines == ["Squeeze (node 's'): attribute 'axes' in opset 13"])
  }

  @Test func newerOpsetsAreRefused() {
    let model = Model(opset: 99, inputs: [.init("x", .f32, [1])], nodes: [.init("Relu", ["x"], ["y"])], outputs: ["y"])
    #expect(error(model)?.kind == .unsupported)
  }

  // MARK: Ops

  @Test func poolsCountWhatTheyAverage() throws {
    func model(_ attributes: [(String, Model.Attribute)]) -> Model {
      Model(
        opset: 19, inputs: [.init("x", .f32, [1, 1, 4])],
        nodes: [
          .init("AveragePool", ["x"], ["y"], [("kernel_shape", .ints([3])), ("strides", .ints([2]))] + attributes)
        ], outputs: ["y"])
    }
    let x = Literal.floats([1, 1, 4], [1, 2, 3, 4])
    #expect(try run(model([]), [x])[0].numbers == [2])
    #expect(try run(model([("ceil_mode", .int(1))]), [x])[0].numbers == [2, 3.5])
    #expect(try run(model([("pads", .ints([1, 1]))]), [x])[0].numbers == [1.5, 3])
    let counted = try run(model([("pads", .ints([1, 1])), ("count_include_pad", .int(1))]), [x])[0].numbers
    #expect(counted == [1, 3])
    #expect(try run(model([("auto_pad", .string("SAME_UPPER"))]), [x])[0].numbers == [2, 3.5])
    #expect(try run(model([("auto_pad", .string("SAME_LOWER"))]), [x])[0].numbers == [1.5, 3])
  }

  /// As many factors, exact where f64 is not; other exponents take f64.
  @Test func wholePowersOfIntegersAreProducts() throws {
    func power(_ exponent: Float) throws -> [Scalar] {
      let model = Model(
        opset: 15, inputs: [.init("x", .i64, [4])],
        nodes: [
          .init("Constant", [], ["e"], [("value_float", .float(exponent))]), .init("Pow", ["x", "e"], ["y"]),
        ], outputs: ["y"])
      return Array(try run(model, [Literal(.i64, [4], [3, -2, 0, 1].map { .integer($0) })])[0].scalars)
    }
    #expect(try power(39) == [4_052_555_153_018_976_267, -(1 << 39), 0, 1].map { .integer($0) })
    #expect(try power(1) == [3, -2, 0, 1].map { .integer($0) })
    #expect(try power(6) == [729, 64, 0, 1].map { .integer($0) })
    #expect(try power(0) == [1, 1, 1, 1].map { .integer($0) })
    #expect(try power(0.5)[0] == .integer(1))
  }

  @Test func convolutionsKeepTheirLayouts() throws {
    let model = Model(
      inputs: [.init("x", .f32, ["n", 2, 3])], constants: [("w", .floats([2, 1, 2], [1, 10, 100, 1000]))],
      nodes: [
        .init("Conv", ["x", "w"], ["y"], [("group", .int(2)), ("pads", .ints([1, 0])), ("dilations", .ints([1]))])
      ], outputs: ["y"])
    let module = try ONNXImporter().module(from: model.bytes)
    let graph = try #require(module.entry).graph
    #expect(!graph.nodes.contains { $0.op.mnemonic == "stablehlo.transpose" })
    let results = try run(model, [.floats([1, 2, 3], [1, 2, 3, 4, 5, 6])])
    #expect(results[0].numbers == [10, 21, 32, 4000, 5400, 6500])
  }

  @Test func gemmContractsInPlace() throws {
    let model = Model(
      inputs: [.init("a", .f32, ["n", 2])],
      constants: [("b", .floats([3, 2], [1, 2, 3, 4, 5, 6])), ("c", .floats([3], [1, 1, 1]))],
      nodes: [.init("Gemm", ["a", "b", "c"], ["y"], [("transB", .int(1)), ("beta", .float(10))])], outputs: ["y"])
    let graph = try #require(try ONNXImporter().module(from: model.bytes).entry).graph
    #expect(!graph.nodes.contains { $0.op.mnemonic == "stablehlo.transpose" })
    #expect(try run(model, [.floats([1, 2], [1, 1])])[0].numbers == [13, 17, 21])
  }

  @Test func integersDivideAsInC() throws {
    let model = Model(
      inputs: [.init("a", .i32, [4]), .init("b", .i32, [4])],
      nodes: [.init("Div", ["a", "b"], ["q"]), .init("Mod", ["a", "b"], ["r"])], outputs: ["q", "r"])
    let a = Literal(.i32, [4], [7, -7, 7, -7].map { Scalar.integer($0) })
    let b = Literal(.i32, [4], [2, 2, -2, -2].map { Scalar.integer($0) })
    let results = try run(model, [a, b])
    #expect(results[0].numbers == [3, -3, -3, 3])
    #expect(results[1].numbers == [1, 1, -1, -1])
  }

  @Test(arguments: [
    ("reflect", [3.0, 2, 1, 2, 3, 2, 1]), ("edge", [1, 1, 1, 2, 3, 3, 3]), ("wrap", [2, 3, 1, 2, 3, 1, 2]),
    ("constant", [0, 0, 1, 2, 3, 0, 0]),
  ])
  func padsHaveModes(_ mode: String, _ expected: [Double]) throws {
    let model = Model(
      opset: 19, inputs: [.init("x", .f32, [3])], constants: [("pads", .integers([2, 2]))],
      nodes: [.init("Pad", ["x", "pads"], ["y"], [("mode", .string(mode))])], outputs: ["y"])
    #expect(try run(model, [.floats([3], [1, 2, 3])])[0].numbers == expected)
  }

  @Test func recurrentLayersStopAtEachLength() throws {
    // A cell that adds its input to its state.
    let model = Model(
      inputs: [.init("x", .f32, ["steps", 2, 1]), .init("lengths", .i32, [2])],
      constants: [("w", .floats([1, 1, 1], [1])), ("r", .floats([1, 1, 1], [1]))],
      nodes: [
        .init(
          "RNN", ["x", "w", "r", "", "lengths"], ["y", "h"],
          [("hidden_size", .int(1)), ("activations", .strings(["Affine"]))])
      ], outputs: ["y", "h"])
    let lengths = Literal(.i32, [2], [.integer(3), .integer(1)])
    let results = try run(model, [.floats([3, 2, 1], [1, 10, 2, 20, 3, 30]), lengths])
    #expect(results[0].numbers == [1, 10, 3, 0, 6, 0])
    #expect(results[1].numbers == [6, 10])
  }

  /// Parts of lines are turned around whole: what lies at one time of one batch stays together.
  @Test(arguments: [(0, 1), (1, 0), (2, 0), (0, 2), (1, 2)]) func reversedSequences(_ time: Int, _ batch: Int) throws {
    let shape = [4, 3, 5]
    let model = Model(
      inputs: [.init("x", .f32, ["a", "b", "c"]), .init("lengths", .i64, ["n"])],
      nodes: [
        .init(
          "ReverseSequence", ["x", "lengths"], ["y"], [("time_axis", .int(time)), ("batch_axis", .int(batch))])
      ], outputs: ["y"])
    var importer = ONNXImporter()
    importer.symbols = [["a", "b", "c"][batch]: shape[batch], "n": shape[batch]]
    let module = try importer.module(from: model.bytes)
    let function = try #require(module.entry)
    #expect(function.graph.nodes.contains { if case .gather(let g) = $0.op { g.offsetDims.count == 1 } else { false } })
    let x = Literal.floats(shape, (0..<60).map(Double.init))
    let lengths = (0..<shape[batch]).map { min($0, shape[time]) }
    let result = try function.evaluate([x, .integers(lengths)], in: module)[0]
    for index in allIndices(shape) {
      var source = index
      let length = lengths[index[batch]]
      if index[time] < length { source[time] = length - 1 - index[time] }
      #expect(result[index] == x[source])
    }
  }

  /// Every kind of transform, padded and cut, of real and of complex numbers, against the sum that defines it.
  @Test(arguments: [6, 7, 9], [1, 2]) func fourierTransforms(_ length: Int, _ parts: Int) throws {
    let count = 7
    let numbers: [Double] = (0..<2 * count * parts).map { place in
      let number = (place * 37 + 11) % 19
      return Double(number) / 4 - 2
    }
    for (isInverse, isOneSided) in [(false, false), (false, true), (true, false), (true, true)] {
      let flags: [(String, Model.Attribute)] = [
        ("axis", .int(1)), ("inverse", .int(isInverse ? 1 : 0)), ("onesided", .int(isOneSided ? 1 : 0)),
      ]
      let model = Model(
        inputs: [.init("x", .f32, ["a", "b", "c"])], constants: [("length", .integers([length]).reshaped([]))],
        nodes: [.init("DFT", ["x", "length"], ["y"], flags)], outputs: ["y"])
      var importer = ONNXImporter()
      importer.symbols = ["a": 2, "b": count, "c": parts]
      let module = try importer.module(from: model.bytes)
      let y = try #require(module.entry).evaluate([.floats([2, count, parts], numbers)], in: module)[0]
      let isReal = isInverse && isOneSided
      let bins = isOneSided && !isInverse ? length / 2 + 1 : length
      #expect(y.dimensions == [2, bins, isReal ? 1 : 2])
      let used = min(count, isReal ? length / 2 + 1 : length)
      for line in 0..<2 {
        for bin in 0..<bins {
          var sum = (re: 0.0, im: 0.0)
          for j in 0..<used {
            let place = (line * count + j) * parts
            let (re, im) = (numbers[place], parts == 2 ? numbers[place + 1] : 0)
            let turns = Double(j * bin) / Double(length)
            let angle: Double = 2 * Double.pi * (isInverse ? turns : -turns)
            // A real result's other half is this one's mirror image.
            var share = isInverse ? 1 / Double(length) : 1
            if isReal, j > 0, 2 * j != length { share *= 2 }
            sum.re += share * (re * cos(angle) - im * sin(angle))
            sum.im += share * (re * sin(angle) + im * cos(angle))
          }
          #expect(abs(y[[line, bin, 0]].realValue - sum.re) < 1e-5)
          if !isReal { #expect(abs(y[[line, bin, 1]].realValue - sum.im) < 1e-5) }
        }
      }
    }
  }

  // MARK: Control flow and functions

  @Test func branchesCaptureOuterValues() throws {
    func branch(_ op: String) -> Model.Attribute {
      .graph(Model.Graph(nodes: [.init(op, ["x", "c"], ["r"])], outputs: ["r"]))
    }
    let model = Model(
      inputs: [.init("p", .i1, []), .init("x", .f32, ["n"])], constants: [("c", .floats([], [2]))],
      nodes: [.init("If", ["p"], ["y"], [("then_branch", branch("Mul")), ("else_branch", branch("Sub"))])],
      outputs: ["y"])
    let x = Literal.floats([2], [3, 5])
    #expect(try run(model, [.scalar(.true, .i1), x])[0].numbers == [6, 10])
    #expect(try run(model, [.scalar(.false, .i1), x])[0].numbers == [1, 3])
  }

  @Test func loopsCarryAndCollect() throws {
    let body = Model.Graph(
      inputs: [.init("i", .i64, []), .init("go", .i1, []), .init("sum", .f32, [2])],
      nodes: [
        .init("Identity", ["go"], ["on"]), .init("Add", ["sum", "x"], ["next"]), .init("Neg", ["next"], ["seen"]),
      ], outputs: ["on", "next", "seen"])
    let model = Model(
      inputs: [.init("x", .f32, [2])],
      constants: [("count", .integers([3]).reshaped([])), ("start", .floats([2], [0, 1]))],
      nodes: [.init("Loop", ["count", "", "start"], ["last", "all"], [("body", .graph(body))])],
      outputs: ["last", "all"])
    let results = try run(model, [.floats([2], [1, 10])])
    #expect(results[0].numbers == [3, 31])
    #expect(results[1].dimensions == [3, 2])
    #expect(results[1].numbers == [-1, -11, -2, -21, -3, -31])
  }

  @Test func scansRunOverSymbols() throws {
    let body = Model.Graph(
      inputs: [.init("sum", .f32, []), .init("part", .f32, [])],
      nodes: [.init("Add", ["sum", "part"], ["next"]), .init("Identity", ["next"], ["out"])], outputs: ["next", "out"])
    let model = Model(
      inputs: [.init("x", .f32, ["n"])], constants: [("zero", .floats([], [0]))],
      nodes: [
        .init("Scan", ["zero", "x"], ["last", "all"], [("body", .graph(body)), ("num_scan_inputs", .int(1))])
      ], outputs: ["last", "all"])
    let results = try run(model, [.floats([4], [1, 2, 3, 4])])
    #expect(results[0].numbers == [10])
    #expect(results[1].numbers == [1, 3, 6, 10])
  }

  @Test func functionsAreExpanded() throws {
    let function = Model.Function(
      name: "Shifted", domain: "own", inputs: ["a", "b"], outputs: ["y"], attributes: ["axis"],
      nodes: [.init("Concat", ["a", "b"], ["y"], [("axis", .reference("axis"))])])
    let model = Model(
      inputs: [.init("x", .f32, [1, 2])],
      nodes: [.init("Shifted", ["x", "x"], ["z"], [("axis", .int(1))], domain: "own")], outputs: ["z"],
      functions: [function])
    #expect(try run(model, [.floats([1, 2], [1, 2])])[0].dimensions == [1, 4])
    var cyclic = model
    cyclic.functions[0].nodes = [.init("Shifted", ["a", "b"], ["y"], [("axis", .reference("axis"))], domain: "own")]
    #expect(error(cyclic)?.kind == .invalid)
  }

  // MARK: Refusals

  @Test func everyUnsupportedNodeIsListed() {
    func inner(_ name: String) -> Model.Attribute {
      .graph(Model.Graph(nodes: [.init("Unheard", ["x"], ["r"], name: name)], outputs: ["r"]))
    }
    let model = Model(
      inputs: [.init("x", .f32, [2]), .init("p", .i1, [])],
      nodes: [
        .init("Imaginary", ["x"], ["a"], name: "first"), .init("Relu", ["a"], ["b"]),
        .init("If", ["p"], ["c"], [("then_branch", inner("deep")), ("else_branch", inner("deeper"))]),
        .init("ZipMap", ["b"], ["d"], name: "second", domain: "ai.onnx.ml"),
      ], outputs: ["d"])
    #expect(
      error(model)?.lines == [
        "Imaginary (node 'first')", "Unheard (node 'deep')", "Unheard (node 'deeper')",
        "ai.onnx.ml.ZipMap (node 'second')",
      ])
    #expect(error(model)?.description.hasPrefix("unsupported: Imaginary (node 'first')") == true)
  }

  @Test func faultsNameTheirNode() {
    let unknown = Model(
      inputs: [.init("x", .f32, [2])], nodes: [.init("Relu", ["z"], ["y"], name: "r")], outputs: ["y"])
    #expect(
      error(unknown)?.lines == [
        "node 'r' (Relu): input 'z' is neither an input of the graph nor the output of an earlier node"
      ])
    let twice = Model(
      inputs: [.init("x", .f32, [2])],
      nodes: [.init("Relu", ["x"], ["y"], name: "a"), .init("Neg", ["x"], ["y"], name: "b")],
      outputs: ["y"])
    #expect(error(twice)?.lines == ["node 'b' (Neg): output 'y' is defined twice"])
    let given = Model(
      inputs: [.init("x", .f32, [2]), .init("x", .f32, [3])], nodes: [.init("Relu", ["x"], ["y"])], outputs: ["y"])
    #expect(error(given)?.lines == ["input 'x' is defined twice"])
    let typed = Model(
      inputs: [.init("x", .f32, [2, 2])],
      nodes: [.init("Concat", ["x", "x"], ["y"], [("axis", .string("0"))], name: "c")],
      outputs: ["y"])
    #expect(error(typed)?.lines == ["node 'c' (Concat): attribute 'axis' is string where int is expected"])
    let shapes = Model(
      inputs: [.init("x", .f32, [2]), .init("y", .f32, [3])], nodes: [.init("Add", ["x", "y"], ["z"], name: "s")],
      outputs: ["z"])
    #expect(error(shapes)?.lines == ["node 's' (Add): cannot broadcast tensor<2xf32> and tensor<3xf32> to one shape"])
    let negative = Model(inputs: [.init("x", .f32, [-1])], nodes: [.init("Relu", ["x"], ["y"])], outputs: ["y"])
    #expect(error(negative)?.lines == ["dimension 0 of input 'x' is -1"])
    let missing = Model(inputs: [.init("x", .f32, [2])], nodes: [], outputs: ["y"])
    #expect(error(missing)?.lines == ["output 'y' is not computed by any node"])
  }

  @Test func hugeTensorsAreRefused() {
    let huge = Model(
      inputs: [.init("x", .f32, [1])], constants: [("shape", .integers([1 << 40, 1 << 40]))],
      nodes: [.init("Expand", ["x", "shape"], ["y"], name: "e")], outputs: ["y"])
    #expect(error(huge)?.kind == .invalid)
    let input = Model(
      inputs: [.init("x", .f32, [.fixed(.max), 2])], nodes: [.init("Relu", ["x"], ["y"])], outputs: ["y"])
    #expect(error(input)?.kind == .invalid)
  }

  /// Files that end early or have bytes changed are imported or refused, but nothing else.
  @Test func damagedFilesAreRefused() {
    let model = Model(
      inputs: [.init("x", .f32, ["n", 3, 4]), .init("i", .i64, [2])],
      constants: [
        ("w", .floats([4, 2], [1, 2, 3, 4, 5, 6, 7, 8])), ("shape", .integers([0, -1, 2])), ("s", .integers([1])),
      ],
      nodes: [
        .init("MatMul", ["x", "w"], ["m"]), .init("Reshape", ["m", "shape"], ["r"]),
        .init("Gather", ["r", "i"], ["g"], [("axis", .int(1))]), .init("Slice", ["g", "s", "shape", "s"], ["c"]),
        .init("ReduceMean", ["r"], ["y"], [("axes", .ints([1])), ("keepdims", .int(0))]),
      ], outputs: ["y", "g"])
    let bytes = model.bytes
    var imported = 0
    func attempt(_ bytes: [UInt8]) {
      if (try? ONNXImporter().module(from: bytes)) != nil { imported += 1 }
    }
    for count in bytes.indices { attempt(Array(bytes.prefix(count))) }
    for position in bytes.indices {
      for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
        var changed = bytes
        changed[position] = value
        attempt(changed)
      }
    }
    #expect(imported < 6 * bytes.count)
  }
}
