import Testing

@testable import IR

@Suite struct TextRoundTripTests {
  /// The text parses, and what is printed in both forms, with and without places, parses to the same module.
  private func roundTrip(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Module {
    let module = try Module(parsing: text).removingLocations()
    for isGeneric in [false, true] {
      for locations in [false, true] {
        let printed = module.irText(locations: locations, isGeneric: isGeneric)
        let again = try Module(parsing: printed).removingLocations()
        #expect(again == module, "\(printed)", sourceLocation: sourceLocation)
        #expect(again.irText() == module.irText(), sourceLocation: sourceLocation)
      }
    }
    return module
  }

  /// One function with these arguments, whose body is `lines`.
  private func function(_ arguments: String, _ results: String, _ lines: String) -> String {
    "func.func public @main(\(arguments)) -> (\(results)) {\n\(lines)\n}\n"
  }

  @Test func pointwise() throws {
    let module = try roundTrip(
      """
      module @jit_f attributes {mhlo.num_partitions = 1 : i32} {
        func.func public @main(%x: tensor<4x2xf32>, %y: tensor<4x2xf32>) -> (tensor<4x2xf32> {jax.result_info = "r"}) {
          %0 = stablehlo.add %x, %y : tensor<4x2xf32>
          %1 = stablehlo.is_finite %0 : (tensor<4x2xf32>) -> tensor<4x2xi1>
          %2 = stablehlo.compare LT, %x, %y : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xi1>
          %3 = stablehlo.and %1, %2 : tensor<4x2xi1>
          %4 = stablehlo.select %3, %x, %y : tensor<4x2xi1>, tensor<4x2xf32>
          %5 = stablehlo.convert %4 : (tensor<4x2xf32>) -> tensor<4x2xbf16>
          %6 = stablehlo.convert %5 : (tensor<4x2xbf16>) -> tensor<4x2xf32>
          %7 = stablehlo.reduce_precision %6, format = e5m10 : tensor<4x2xf32>
          %8 = chlo.erf %7 : tensor<4x2xf32> -> tensor<4x2xf32>
          %9 = chlo.square %8 : tensor<4x2xf32> -> tensor<4x2xf32>
          %10 = stablehlo.bitcast_convert %9 : (tensor<4x2xf32>) -> tensor<4x2xi32>
          %11 = stablehlo.bitcast_convert %10 : (tensor<4x2xi32>) -> tensor<4x2xf32>
          %12 = stablehlo.complex %11, %9 : tensor<4x2xcomplex<f32>>
          %13 = stablehlo.real %12 : (tensor<4x2xcomplex<f32>>) -> tensor<4x2xf32>
          return %13 : tensor<4x2xf32>
        }
      }
      """)
    #expect(module.name == "jit_f")
    #expect(module.functions[0].parameterNames == ["x", "y"])
    #expect(module.functions[0].resultNames == ["out0"])
  }

  @Test func dataMovement() throws {
    _ = try roundTrip(
      function(
        "%arg0: tensor<2x3x5xf32>, %arg1: tensor<i32>", "tensor<6xf32>",
        """
          %0 = stablehlo.transpose %arg0, dims = [2, 0, 1] : (tensor<2x3x5xf32>) -> tensor<5x2x3xf32>
          %1 = stablehlo.slice %0 [0:5:2, 0:1, 1:3] : (tensor<5x2x3xf32>) -> tensor<3x1x2xf32>
          %2 = stablehlo.reshape %1 : (tensor<3x1x2xf32>) -> tensor<6xf32>
          %3 = stablehlo.reverse %2, dims = [0] : tensor<6xf32>
          %4 = stablehlo.dynamic_slice %3, %arg1, sizes = [2] : (tensor<6xf32>, tensor<i32>) -> tensor<2xf32>
          %5 = stablehlo.dynamic_update_slice %3, %4, %arg1 : (tensor<6xf32>, tensor<2xf32>, tensor<i32>) -> tensor<6xf32>
          %6 = stablehlo.iota dim = 0 : tensor<6xf32>
          %7 = stablehlo.concatenate %5, %6, dim = 0 : (tensor<6xf32>, tensor<6xf32>) -> tensor<12xf32>
          %c = stablehlo.constant dense<0x7FC00000> : tensor<f32>
          %8 = stablehlo.pad %4, %c, low = [1], high = [0], interior = [1] : (tensor<2xf32>, tensor<f32>) -> tensor<4xf32>
          %9 = "stablehlo.gather"(%7, %10) <{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1>}> : (tensor<12xf32>, tensor<6x1xi32>) -> tensor<6xf32>
          return %9 : tensor<6xf32>
        """
      ).replacing(
        "%9 =",
        with: "%10 = stablehlo.constant dense<[[0], [1], [2], [3], [4], [5]]> : tensor<6x1xi32>\n    %9 ="))
  }

  @Test func contractions() throws {
    let module = try roundTrip(
      function(
        "%arg0: tensor<2x5x3xf32>, %arg1: tensor<2x3x4xf32>, %arg2: tensor<1x9x4xf32>, %k: tensor<3x2x6xf32>",
        "tensor<2x5x4xf32>, tensor<1x5x6xf32>",
        """
          %0 = stablehlo.dot_general %arg0, %arg1, batching_dims = [0] x [0], contracting_dims = [2] x [1], precision = [DEFAULT, HIGHEST] : (tensor<2x5x3xf32>, tensor<2x3x4xf32>) -> tensor<2x5x4xf32>
          %1 = stablehlo.convolution(%arg2, %k) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f], window = {stride = [2], pad = [[1, 1]], reverse = [true]} {batch_group_count = 1 : i64, feature_group_count = 2 : i64, precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision DEFAULT>]} : (tensor<1x9x4xf32>, tensor<3x2x6xf32>) -> tensor<1x5x6xf32>
          return %0, %1 : tensor<2x5x4xf32>, tensor<1x5x6xf32>
        """))
    guard case .convolution(let convolution) = module.functions[0].graph.nodes[5].op else {
      Issue.record("node 5 is no convolution")
      return
    }
    #expect(convolution.window[0].isReversed)
    #expect(convolution.window[0].paddingHigh == 1)
    #expect(convolution.featureGroupCount == 2)
  }

  @Test func reductions() throws {
    let module = try roundTrip(
      function(
        "%arg0: tensor<2x3xf32>, %arg1: tensor<2x3xi32>", "tensor<2xf32>, tensor<2xi32>",
        """
          %cst = stablehlo.constant dense<0xFF800000> : tensor<f32>
          %c = stablehlo.constant dense<0> : tensor<i32>
          %0 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.maximum across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
          %1:2 = stablehlo.reduce(%arg0 init: %cst), (%arg1 init: %c) across dimensions = [1] : (tensor<2x3xf32>, tensor<2x3xi32>, tensor<f32>, tensor<i32>) -> (tensor<2xf32>, tensor<2xi32>)
           reducer(%a: tensor<f32>, %b: tensor<f32>) (%i: tensor<i32>, %j: tensor<i32>)  {
            %2 = stablehlo.compare GE, %a, %b, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
            %3 = stablehlo.select %2, %a, %b : tensor<i1>, tensor<f32>
            %4 = stablehlo.select %2, %i, %j : tensor<i1>, tensor<i32>
            stablehlo.return %3, %4 : tensor<f32>, tensor<i32>
          }
          return %0, %1#1 : tensor<2xf32>, tensor<2xi32>
        """))
    // Accumulators come before elements, whatever the order in the text.
    guard case .reduce(let reduce) = module.functions[0].graph.nodes[5].op else {
      Issue.record("node 5 is no reduction")
      return
    }
    #expect(reduce.body.parameterTypes.map(\.elementType) == [.f32, .i32, .f32, .i32])
    #expect(reduce.body.nodes[4].operands == [ValueID(0), ValueID(2)])
  }

  @Test func captures() throws {
    let module = try roundTrip(
      function(
        "%arg0: tensor<3xf32>, %arg1: tensor<i32>, %arg2: tensor<3xf32>", "tensor<3xf32>",
        """
          %c = stablehlo.constant dense<0> : tensor<i32>
          %c1 = stablehlo.constant dense<1> : tensor<i32>
          %0:2 = stablehlo.while(%i = %c, %x = %arg0) : tensor<i32>, tensor<3xf32>
          cond {
            %1 = stablehlo.compare LT, %i, %arg1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
            stablehlo.return %1 : tensor<i1>
          } do {
            %1 = stablehlo.add %i, %c1 : tensor<i32>
            %2 = "stablehlo.case"(%i) ({
              %3 = stablehlo.add %x, %arg2 : tensor<3xf32>
              stablehlo.return %3 : tensor<3xf32>
            }, {
              stablehlo.return %arg0 : tensor<3xf32>
            }) : (tensor<i32>) -> tensor<3xf32>
            stablehlo.return %1, %2 : tensor<i32>, tensor<3xf32>
          }
          return %0#1 : tensor<3xf32>
        """))
    let graph = module.functions[0].graph
    guard let node = graph.nodes.first(where: { $0.op.mnemonic == "stablehlo.while" }), case .while(let loop) = node.op
    else {
      Issue.record("there is no loop")
      return
    }
    // Two values of the loop, then the limit, %arg2 and %arg0 from outside; constants are repeated inside.
    #expect(node.operands.count == 5)
    #expect(loop.condition.parameters.count == 5)
    #expect(loop.body.parameters.count == 5)
    let arguments = [
      Literal(.f32, [3], [.real(1), .real(2), .real(3)]), Literal.scalar(.integer(2), .i32),
      Literal(.f32, [3], [.real(10), .real(20), .real(30)]),
    ]
    let results = try module.functions[0].evaluate(arguments, in: module)
    #expect(results[0].scalars == [.real(1), .real(2), .real(3)])
  }

  @Test func regionsOfGenericOps() throws {
    _ = try roundTrip(
      function(
        "%arg0: tensor<4x6xf32>, %arg1: tensor<2x1xi32>, %arg2: tensor<2x6xf32>, %p: tensor<i1>", "tensor<4x6xf32>",
        """
          %z = stablehlo.constant dense<0.0> : tensor<f32>
          %0 = "stablehlo.sort"(%arg0) <{dimension = 1 : i64, is_stable = true}> ({
          ^bb0(%a: tensor<f32>, %b: tensor<f32>):
            %9 = stablehlo.compare GT, %a, %b, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
            stablehlo.return %9 : tensor<i1>
          }) : (tensor<4x6xf32>) -> tensor<4x6xf32>
          %1 = "stablehlo.scatter"(%0, %arg1, %arg2) <{scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>}> ({
          ^bb0(%a: tensor<f32>, %b: tensor<f32>):
            %9 = stablehlo.add %a, %b : tensor<f32>
            stablehlo.return %9 : tensor<f32>
          }) : (tensor<4x6xf32>, tensor<2x1xi32>, tensor<2x6xf32>) -> tensor<4x6xf32>
          %2 = "stablehlo.reduce_window"(%1, %z) <{padding = dense<[[0, 0], [1, 1]]> : tensor<2x2xi64>, window_dimensions = array<i64: 1, 3>}> ({
          ^bb0(%a: tensor<f32>, %b: tensor<f32>):
            %9 = stablehlo.maximum %a, %b : tensor<f32>
            stablehlo.return %9 : tensor<f32>
          }) : (tensor<4x6xf32>, tensor<f32>) -> tensor<4x6xf32>
          %3 = "stablehlo.if"(%p) ({
            stablehlo.return %2 : tensor<4x6xf32>
          }, {
            %9 = stablehlo.negate %2 : tensor<4x6xf32>
            stablehlo.return %9 : tensor<4x6xf32>
          }) : (tensor<i1>) -> tensor<4x6xf32>
          %4:2 = stablehlo.optimization_barrier %3, %arg0 : tensor<4x6xf32>, tensor<4x6xf32>
          %v, %i = chlo.top_k(%4#0, k = 2) : tensor<4x6xf32> -> (tensor<4x2xf32>, tensor<4x2xi32>)
          return %4#0 : tensor<4x6xf32>
        """))
  }

  @Test func functionsAndSignatures() throws {
    let module = try roundTrip(
      """
      module @m {
        func.func public @main(%arg0: tensor<2xf32> {jax.buffer_donor = true}, %arg1: tensor<2xf32> {tf.aliasing_output = 0 : i32, mhlo.sharding = "{replicated}"}) -> (tensor<2xf32>, tensor<2xf32>) {
          %0 = call @f(%arg0) : (tensor<2xf32>) -> tensor<2xf32>
          %1:2 = func.call @g(%0, %arg1) : (tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
          return %1#0, %1#1 : tensor<2xf32>, tensor<2xf32>
        }
        func.func private @f(%arg0: tensor<2xf32>) -> tensor<2xf32> {
          return %arg0 : tensor<2xf32>
        }
        func.func private @g(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
          %t = stablehlo.tuple %arg0, %arg1 : tuple<tensor<2xf32>, tensor<2xf32>>
          %0 = stablehlo.get_tuple_element %t[1] : (tuple<tensor<2xf32>, tensor<2xf32>>) -> tensor<2xf32>
          return %0, %arg0 : tensor<2xf32>, tensor<2xf32>
        }
      }
      """)
    #expect(module.functions.map(\.name) == ["main", "f", "g"])
    #expect(module.functions.map(\.isPublic) == [true, false, false])
    #expect(module.functions[0].aliases == [1, 0])
    #expect(module.functions[2].graph.results == [ValueID(1), ValueID(0)])
  }

  @Test func symbolicExtents() throws {
    let text = """
      func.func public @main(%arg0: tensor<?x4xf32>, %arg1: tensor<?xf32>) -> tensor<?x4xf32> {
        %0 = stablehlo.get_dimension_size %arg1, dim = 0 : (tensor<?xf32>) -> tensor<i32>
        %1 = stablehlo.reshape %0 : (tensor<i32>) -> tensor<1xi32>
        %c = stablehlo.constant dense<4> : tensor<1xi32>
        %2 = stablehlo.concatenate %1, %c, dim = 0 : (tensor<1xi32>, tensor<1xi32>) -> tensor<2xi32>
        %3 = stablehlo.dynamic_broadcast_in_dim %arg1, %2, dims = [0] : (tensor<?xf32>, tensor<2xi32>) -> tensor<?x4xf32>
        %4 = stablehlo.add %arg0, %3 : tensor<?x4xf32>
        return %4 : tensor<?x4xf32>
      }
      """
    let module = try roundTrip(text)
    #expect(module.functions[0].graph.parameterTypes[0].dimensions[0] == .symbol("arg0_0"))
    #expect(module.functions[0].graph.parameterTypes[1].dimensions[0] == .symbol("arg1_0"))
  }

  @Test func extentsOfOurOwn() throws {
    var graph = Graph()
    let batch = Extent.symbol("batch")
    let odd = Extent.symbol("past length")
    let x = graph.addParameter(TensorType(.f32, [batch, 4]), name: "x")
    let y = graph.addParameter(TensorType(.f32, [odd]), name: "input.1")
    let type = TensorType(.f32, [batch * 2 + 1, (odd - 1).floorDivided(by: 4)])
    let iota = try graph.append(.iota(Iota(dimension: 1, resultType: type)))
    let sliced = try graph.append(.slice(Slice(starts: [odd - 2], limits: [odd], strides: [1])), [y])
    graph.results = [x, iota, sliced]
    var module = Module(name: "own", functions: [Function(name: "f-1", graph: graph)])
    module.functions[0].parameterNames = ["x", "input.1"]
    module.functions[0].resultNames = ["x'", "out1", "s"]
    module.symbolBounds = [Symbol("batch"): SymbolBounds(lower: 1, upper: 512), Symbol("past length"): SymbolBounds()]
    let again = try Module(parsing: module.irText()).removingLocations()
    #expect(again == module.removingLocations(), "\(module.irText())")
  }

  @Test func locations() throws {
    let module = try Module(
      parsing: """
        #loc = loc(unknown)
        func.func public @main(%arg0: tensor<f32> loc("x")) -> tensor<f32> {
          %0 = stablehlo.abs %arg0 : tensor<f32> loc(#loc2)
          %1 = stablehlo.abs %0 : tensor<f32> loc(#loc)
          %2 = stablehlo.abs %1 : tensor<f32> loc(callsite("a" at fused<{k = 1 : i64}>["b", "f.py":3:4 to :9]))
          return %2 : tensor<f32> loc(#loc)
        } loc(#loc)
        #loc1 = loc("model.py":12:7)
        #loc2 = loc("layer/abs"(#loc1))
        #loc3 = loc(#loc3)
        """, fileName: "t.mlir")
    let nodes = module.functions[0].graph.nodes
    #expect(nodes[0].location == .name("x", .unknown))
    #expect(nodes[1].location == .name("layer/abs", .file("model.py", line: 12, column: 7)))
    #expect(nodes[2].location == .file("t.mlir", line: 4, column: 8))
    #expect(nodes[3].location.description == "a, b, f.py:3:4")
    let again = try Module(parsing: module.irText(locations: true), fileName: "other")
    #expect(again == module)
  }

  @Test func spellingsOfOlderVersions() throws {
    let old = try roundTrip(
      """
      module @jit_f.0 {
        func.func public @main(%arg0: tensor<2x3xf32> {mhlo.sharding = ""}, %arg1: tensor<3x4xf32>) -> tensor<4x2xf32> {
          %0 = mhlo.constant dense<1.000000e+00> : tensor<f32>
          %1 = "stablehlo.dot_general"(%arg0, %arg1) {dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [0]>, precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision DEFAULT>]} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
          %2 = "stablehlo.broadcast_in_dim"(%0) {broadcast_dimensions = dense<> : tensor<0xi64>} : (tensor<f32>) -> tensor<2x4xf32>
          %3 = stablehlo.compare  GT, %1, %2,  FLOAT : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xi1>
          %4 = "stablehlo.select"(%3, %1, %2) : (tensor<2x4xi1>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
          %5 = "stablehlo.slice"(%4) {limit_indices = dense<[2, 4]> : tensor<2xi64>, start_indices = dense<0> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
          %6 = "stablehlo.transpose"(%5) {permutation = dense<[1, 0]> : tensor<2xi64>} : (tensor<2x4xf32>) -> tensor<4x2xf32>
          return %6 : tensor<4x2xf32>
        }
      }
      """)
    let new = try Module(
      parsing: """
        module @jit_f.0 {
          func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<3x4xf32>) -> tensor<4x2xf32> {
            %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
            %0 = stablehlo.dot %arg0, %arg1, precision = [DEFAULT, DEFAULT] : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
            %1 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
            %2 = stablehlo.compare GT, %0, %1 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xi1>
            %3 = stablehlo.select %2, %0, %1 : tensor<2x4xi1>, tensor<2x4xf32>
            %4 = stablehlo.slice %3 [0:2, 0:4] : (tensor<2x4xf32>) -> tensor<2x4xf32>
            %5 = stablehlo.transpose %4, dims = [1, 0] : (tensor<2x4xf32>) -> tensor<4x2xf32>
            return %5 : tensor<4x2xf32>
          }
        }
        """)
    #expect(old == new.removingLocations())
  }

  @Test func scalarsOfSelectAndClampAreBroadcast() throws {
    let module = try roundTrip(
      function(
        "%p: tensor<i1>, %x: tensor<2x3xf32>, %y: tensor<2x3xf32>, %l: tensor<f32>", "tensor<2x3xf32>",
        """
          %0 = stablehlo.select %p, %x, %y : tensor<i1>, tensor<2x3xf32>
          %1 = stablehlo.clamp %l, %0, %y : (tensor<f32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
          %2 = "stablehlo.map"(%1, %y) <{dimensions = array<i64: 0, 1>}> ({
          ^bb0(%a: tensor<f32>, %b: tensor<f32>):
            %c = stablehlo.constant dense<2.0> : tensor<f32>
            %3 = stablehlo.multiply %a, %c : tensor<f32>
            %4 = stablehlo.add %3, %b : tensor<f32>
            stablehlo.return %4 : tensor<f32>
          }) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
          return %2 : tensor<2x3xf32>
        """))
    let mnemonics = module.functions[0].graph.nodes.dropFirst(4).map(\.op.mnemonic)
    #expect(
      mnemonics == [
        "stablehlo.broadcast_in_dim", "stablehlo.select", "stablehlo.broadcast_in_dim", "stablehlo.clamp",
        "stablehlo.constant", "stablehlo.broadcast_in_dim", "stablehlo.multiply", "stablehlo.add",
      ])
  }
}
