import IR
import Testing

@Suite struct RngBitGeneratorTests {
  /// A shape and type, and what XLA's CPU backend makes of the state `[0x0123456789abcdef, 0xfedcba9876543210]`.
  private struct Draw {
    var algorithm: RngBitGenerator.Algorithm
    var type: ElementType
    var shape: [Int]
    var counter: UInt64
    var bits: [UInt64]

    init(
      _ algorithm: RngBitGenerator.Algorithm, _ type: ElementType, _ shape: [Int], _ counter: UInt64, _ bits: [UInt64]
    ) {
      self.algorithm = algorithm
      self.type = type
      self.shape = shape
      self.counter = counter
      self.bits = bits
    }
  }

  private static let draws: [Draw] = [
    Draw(
      .threeFry, .ui32, [], 0xfedc_ba98_7654_3211,
      [0xaed4_a37f]),
    Draw(
      .threeFry, .ui32, [5], 0xfedc_ba98_7654_3213,
      [0xaed4_a37f, 0x1130_d111, 0xc3cc_4d02, 0x798e_402e, 0xaee5_264e]),
    Draw(
      .threeFry, .ui32, [2, 3], 0xfedc_ba98_7654_3213,
      [0xaed4_a37f, 0xc3cc_4d02, 0xaee5_264e, 0x1130_d111, 0x798e_402e, 0xb089_da7a]),
    Draw(
      .threeFry, .ui32, [3, 3], 0xfedc_ba98_7654_3216,
      [
        0xaed4_a37f, 0xc3cc_4d02, 0xaee5_264e, 0x1130_d111, 0x798e_402e, 0xb089_da7a, 0x49b1_05a8, 0xe8e5_2210,
        0xf0a3_9a78,
      ]),
    Draw(
      .threeFry, .ui32, [3, 2], 0xfedc_ba98_7654_3213,
      [0xaed4_a37f, 0x1130_d111, 0xc3cc_4d02, 0x798e_402e, 0xaee5_264e, 0xb089_da7a]),
    Draw(
      .threeFry, .ui64, [], 0xfedc_ba98_7654_3211,
      [0x1130_d111_aed4_a37f]),
    Draw(
      .threeFry, .ui64, [5], 0xfedc_ba98_7654_3215,
      [
        0x1130_d111_aed4_a37f, 0x798e_402e_c3cc_4d02, 0xb089_da7a_aee5_264e, 0xaf0a_8d99_49b1_05a8,
        0xdde9_4182_e8e5_2210,
      ]),
    Draw(
      .threeFry, .ui64, [2, 3], 0xfedc_ba98_7654_3216,
      [
        0x1130_d111_aed4_a37f, 0x798e_402e_c3cc_4d02, 0xb089_da7a_aee5_264e, 0xaf0a_8d99_49b1_05a8,
        0xdde9_4182_e8e5_2210, 0xdd18_8ee6_f0a3_9a78,
      ]),
    Draw(
      .threeFry, .ui64, [3, 3], 0xfedc_ba98_7654_3219,
      [
        0x1130_d111_aed4_a37f, 0x798e_402e_c3cc_4d02, 0xb089_da7a_aee5_264e, 0xaf0a_8d99_49b1_05a8,
        0xdde9_4182_e8e5_2210, 0xdd18_8ee6_f0a3_9a78, 0x403d_bb94_e2a7_7238, 0xc3dc_607f_ace8_e6a6,
        0x865b_c442_56cf_7af2,
      ]),
    Draw(
      .threeFry, .ui64, [3, 2], 0xfedc_ba98_7654_3216,
      [
        0x1130_d111_aed4_a37f, 0x798e_402e_c3cc_4d02, 0xb089_da7a_aee5_264e, 0xaf0a_8d99_49b1_05a8,
        0xdde9_4182_e8e5_2210, 0xdd18_8ee6_f0a3_9a78,
      ]),
    Draw(
      .threeFry, .ui8, [5], 0xfedc_ba98_7654_3213,
      [0x7f, 0x11, 0x2, 0x2e, 0x4e]),
    Draw(
      .threeFry, .ui8, [3, 2], 0xfedc_ba98_7654_3213,
      [0x7f, 0x11, 0x2, 0x2e, 0x4e, 0x7a]),
    Draw(
      .threeFry, .ui16, [5], 0xfedc_ba98_7654_3213,
      [0xa37f, 0xd111, 0x4d02, 0x402e, 0x264e]),
    Draw(
      .threeFry, .ui16, [3, 2], 0xfedc_ba98_7654_3213,
      [0xa37f, 0xd111, 0x4d02, 0x402e, 0x264e, 0xda7a]),
    Draw(
      .philox, .ui32, [], 0xfedc_ba98_7654_3211,
      [0x1ec5_3d42]),
    Draw(
      .philox, .ui32, [5], 0xfedc_ba98_7654_3212,
      [0x1ec5_3d42, 0xcfa3_90b5, 0xf223_5702, 0xe71f_f917, 0xcb47_2319]),
    Draw(
      .philox, .ui32, [2, 3], 0xfedc_ba98_7654_3212,
      [0x1ec5_3d42, 0xcfa3_90b5, 0xf223_5702, 0xe71f_f917, 0xcb47_2319, 0xd682_777a]),
    Draw(
      .philox, .ui32, [3, 3], 0xfedc_ba98_7654_3213,
      [
        0x1ec5_3d42, 0xcfa3_90b5, 0xf223_5702, 0xe71f_f917, 0xcb47_2319, 0xd682_777a, 0xa09c_7b98, 0x304e_9f89,
        0x9f63_dd49,
      ]),
    Draw(
      .philox, .ui32, [3, 2], 0xfedc_ba98_7654_3212,
      [0x1ec5_3d42, 0xcfa3_90b5, 0xf223_5702, 0xe71f_f917, 0xcb47_2319, 0xd682_777a]),
    Draw(
      .philox, .ui64, [], 0xfedc_ba98_7654_3211,
      [0xcfa3_90b5_1ec5_3d42]),
    Draw(
      .philox, .ui64, [5], 0xfedc_ba98_7654_3213,
      [
        0xcfa3_90b5_1ec5_3d42, 0xe71f_f917_f223_5702, 0xd682_777a_cb47_2319, 0x304e_9f89_a09c_7b98,
        0x3e1b_9c67_9f63_dd49,
      ]),
    Draw(
      .philox, .ui64, [2, 3], 0xfedc_ba98_7654_3213,
      [
        0xcfa3_90b5_1ec5_3d42, 0xe71f_f917_f223_5702, 0xd682_777a_cb47_2319, 0x304e_9f89_a09c_7b98,
        0x3e1b_9c67_9f63_dd49, 0x1ece_479b_5d43_b2cf,
      ]),
    Draw(
      .philox, .ui64, [3, 3], 0xfedc_ba98_7654_3215,
      [
        0xcfa3_90b5_1ec5_3d42, 0xe71f_f917_f223_5702, 0xd682_777a_cb47_2319, 0x304e_9f89_a09c_7b98,
        0x3e1b_9c67_9f63_dd49, 0x1ece_479b_5d43_b2cf, 0xb70b_fd8a_7a29_becb, 0xa8e9_b0f4_a077_66e5,
        0x60e0_1ae9_75a5_e1a4,
      ]),
    Draw(
      .philox, .ui64, [3, 2], 0xfedc_ba98_7654_3213,
      [
        0xcfa3_90b5_1ec5_3d42, 0xe71f_f917_f223_5702, 0xd682_777a_cb47_2319, 0x304e_9f89_a09c_7b98,
        0x3e1b_9c67_9f63_dd49, 0x1ece_479b_5d43_b2cf,
      ]),
    Draw(
      .philox, .ui8, [5], 0xfedc_ba98_7654_3212,
      [0x42, 0xb5, 0x2, 0x17, 0x19]),
    Draw(
      .philox, .ui8, [3, 2], 0xfedc_ba98_7654_3212,
      [0x42, 0xb5, 0x2, 0x17, 0x19, 0x7a]),
    Draw(
      .philox, .ui16, [5], 0xfedc_ba98_7654_3212,
      [0x3d42, 0x90b5, 0x5702, 0xf917, 0x2319]),
    Draw(
      .philox, .ui16, [3, 2], 0xfedc_ba98_7654_3212,
      [0x3d42, 0x90b5, 0x5702, 0xf917, 0x2319, 0x777a]),
    Draw(
      .default, .ui32, [5], 0xfedc_ba98_7654_3212,
      [0x1ec5_3d42, 0xcfa3_90b5, 0xf223_5702, 0xe71f_f917, 0xcb47_2319]),
    Draw(
      .default, .ui64, [5], 0xfedc_ba98_7654_3213,
      [
        0xcfa3_90b5_1ec5_3d42, 0xe71f_f917_f223_5702, 0xd682_777a_cb47_2319, 0x304e_9f89_a09c_7b98,
        0x3e1b_9c67_9f63_dd49,
      ]),
    Draw(
      .default, .ui8, [5], 0xfedc_ba98_7654_3212,
      [0x42, 0xb5, 0x2, 0x17, 0x19]),
    Draw(
      .default, .ui16, [5], 0xfedc_ba98_7654_3212,
      [0x3d42, 0x90b5, 0x5702, 0xf917, 0x2319]),
  ]

  @Test func bitsAreThoseOfXLA() throws {
    let state = Literal(.ui64, [2], [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210].map(scalar))
    for draw in Self.draws {
      let generator = RngBitGenerator(algorithm: draw.algorithm, resultType: TensorType(draw.type, fixed: draw.shape))
      let results = try evaluate(.rngBitGenerator(generator), [state])
      #expect(results[0] == Literal(.ui64, [2], [0x0123_4567_89ab_cdef, draw.counter].map(scalar)))
      #expect(results[1].scalars == Literal(draw.type, draw.shape, draw.bits.map(scalar)).scalars, "\(draw)")
    }
  }

  private func scalar(_ bits: UInt64) -> Scalar { .integer(Int64(bitPattern: bits)) }

  @Test func philoxCarriesIntoTheHighCounter() throws {
    let generator = RngBitGenerator(algorithm: .philox, resultType: TensorType(.ui32, fixed: [9]))
    let state = Literal(.ui64, [3], [1, UInt64.max, 7].map(scalar))
    let results = try evaluate(.rngBitGenerator(generator), [state])
    #expect(results[0] == Literal(.ui64, [3], [1, 2, 8].map(scalar)))
    let next = Literal(.ui64, [3], [1, 0, 8].map(scalar))
    let after = try evaluate(.rngBitGenerator(generator), [next])
    #expect(Array(results[1].scalars[4...]) == Array(after[1].scalars[..<5]))
  }

  @Test func constraints() {
    let threeFry = Op.rngBitGenerator(RngBitGenerator(algorithm: .threeFry, resultType: type(.ui32, 4)))
    let philox = Op.rngBitGenerator(RngBitGenerator(algorithm: .philox, resultType: type(.ui32, 4)))
    let booleans = Op.rngBitGenerator(RngBitGenerator(resultType: type(.i1, 4)))
    let refused = [
      RefusedApplication("I2", threeFry, [type(.ui32, 2)], "a list of ui64"),
      RefusedApplication("C2", threeFry, [type(.ui64, 3)], "the state of THREE_FRY has 2 elements, not 3"),
      RefusedApplication("C2", philox, [type(.ui64, 4)], "the state of PHILOX has 2 or 3 elements, not 4"),
      RefusedApplication("O2", booleans, [type(.ui64, 2)], "makes integers and floats, not i1"),
    ]
    for application in refused { application.check() }
  }
}
