import IR

@testable import ImportTensorFlow

extension TensorFlowOpCase {
  private typealias G = TensorFlowTestGraph

  /// Small nodes with the results of TensorFlow 2.21.
  static let all = factors + gradients

  private static let factors: [TensorFlowOpCase] = [
    TensorFlowOpCase(
      "MatrixInverse", [.data([3, 3], [0, 2, 1, 4, 0, -1, 1, 1, 3])],
      [:],
      [
        (
          [3, 3],
          [
            -0.04545455, 0.2272727, 0.09090909, 0.5909091, 0.04545455, -0.1818182, -0.1818182, -0.09090909,
            0.3636364,
          ]
        )
      ]),
    TensorFlowOpCase(
      "MatrixInverse", [.data([3, 3], [0, 2, 1, 4, 0, -1, 1, 1, 3])],
      ["adjoint": .b(true)],
      [
        (
          [3, 3],
          [
            -0.04545455, 0.5909091, -0.1818182, 0.2272727, 0.04545455, -0.09090909, 0.09090909, -0.1818182,
            0.3636364,
          ]
        )
      ]),
    TensorFlowOpCase(
      "MatrixInverse", [.data([2, 0, 0], [])],
      [:],
      [([2, 0, 0], [])]),
    TensorFlowOpCase(
      "MatrixSolve",
      [
        .data([3, 3], [0, 2, 1, 4, 0, -1, 1, 1, 3]),
        .data(
          [3, 2],
          [
            1.22, 1.23, 0.06, -0.86, -1.78,
            -0.47,
          ]),
      ],
      [:],
      [([3, 2], [-0.2036364, -0.2940909, 1.047273, 0.7731818, -0.8745455, -0.3163636])]),
    TensorFlowOpCase(
      "MatrixSolve", [.data([3, 3], [0, 2, 1, 4, 0, -1, 1, 1, 3]), .data([3, 1], [-0.37, -1.82, -1.8])],
      ["adjoint": .b(true)],
      [([3, 1], [-0.7313637, -0.003181823, -0.3572727])]),
    TensorFlowOpCase(
      "MatrixDeterminant",
      [
        .data(
          [3, 3, 3],
          [
            0, 2, 1, 4, 0, -1, 1, 1, 3, 4, 0, -1, 0, 2, 1, 1, 1, 3, 0, 0, 0, 0, 0,
            0, 0, 0, 0,
          ])
      ],
      [:],
      [([3], [-22, 22, 0])]),
    TensorFlowOpCase(
      "MatrixDeterminant", [.data([2, 0, 0], [])],
      [:],
      [([2], [1, 1])]),
    TensorFlowOpCase(
      "LogMatrixDeterminant",
      [
        .data(
          [3, 3, 3],
          [
            0, 2, 1, 4, 0, -1, 1, 1, 3, 4, 0, -1, 0, 2, 1, 1, 1, 3, 1, 2, 3, 2,
            4, 6, 0, 0, 1,
          ])
      ],
      [:],
      [([3], [-1, 1, -0]), ([3], [3.091043, 3.091043, -.infinity])]),
    TensorFlowOpCase(
      "Qr", [.data([3, 2], [0, 2, 4, 0, 1, 1])],
      [:],
      [
        ([3, 2], [0, 0.8997355, -0.9701425, -0.1058512, -0.2425356, 0.4234049]),
        (
          [2, 2],
          [
            -4.123106, -0.2425356, 0,
            2.222876,
          ]
        ),
      ]),
    TensorFlowOpCase(
      "Qr", [.data([3, 2], [0, 2, 4, 0, 1, 1])],
      ["full_matrices": .b(true)],
      [
        ([3, 3], [0, 0.8997355, -0.4364358, -0.9701425, -0.1058512, -0.2182179, -0.2425356, 0.4234049, 0.8728716]),
        ([3, 2], [-4.123106, -0.2425356, 0, 2.222876, 0, 0]),
      ]),
    TensorFlowOpCase(
      "Qr", [.data([2, 3], [0, 2, 1, 4, 0, -1])],
      [:],
      [([2, 2], [0, -1, -1, 0]), ([2, 3], [-4, 0, 1, 0, -2, -1])]),
    TensorFlowOpCase(
      "SelfAdjointEigV2", [.data([2, 2], [2, 9, 1, 2])],
      [:],
      [([2], [0.9999999, 3])]),
    TensorFlowOpCase(
      "Svd", [.data([2, 3], [0, 2, 1, 4, 0, -1])],
      ["compute_uv": .b(false)],
      [([2], [4.13313, 2.217485])]),
    TensorFlowOpCase(
      "Lu", [.data([3, 3], [0, 2, 1, 4, 0, -1, 1, 1, 3])],
      [:],
      [([3, 3], [4, 0, -1, 0, 2, 1, 0.25, 0.5, 2.75]), ([3], [1, 0, 2])]),
    TensorFlowOpCase(
      "MatrixSolveLs", [.data([3, 2], [0, 2, 4, 0, 1, 1]), .data([3, 1], [2, 0.61, -1.06]), .constant([], [0])],
      [:],
      [([2, 1], [0.04714287, 0.5785714])]),
    TensorFlowOpCase(
      "MatrixSolveLs", [.data([2, 3], [0, 2, 1, 4, 0, -1]), .data([2, 1], [-0.26, 1.9]), .constant([], [0.5])],
      [:],
      [([3, 1], [0.4279265, -0.05564304, -0.1348032])]),
    TensorFlowOpCase(
      "MatrixSolveLs", [.data([2, 3], [0, 2, 1, 4, 0, -1]), .data([2, 1], [1.59, 1.38]), .constant([], [0])],
      ["fast": .b(false)],
      [([3, 1], [0.4042857, 0.6764285, 0.2371428])]),
    TensorFlowOpCase(
      "TridiagonalMatMul",
      [
        .data([1, 3], [-0.43, -0.03, 0.71]), .data([1, 3], [-1.76, 0.22, -0.91]),
        .data(
          [1, 3],
          [1.52, -1.74, 0.72]), .data([3, 2], [1.48, -1.09, 1.58, 1.49, -1.93, 0.83]),
      ],
      [:],
      [([3, 2], [-3.2842, 1.2777, -2.1697, 2.1995, 2.8939, 0.3175001])]),
    TensorFlowOpCase(
      "CropAndResize",
      [
        .data([1, 3, 4, 1], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        .data(
          [2, 4],
          [
            0, 0, 1, 1, 0.9,
            0.5, -0.2, 0.1,
          ]), .places([2], [0, 0]), .integers([2], [3, 2]),
      ],
      ["extrapolation_value": .f(-1)],
      [([2, 3, 2, 1], [0, 3, 4, 7, 8, 11, 8.7, 7.5, 4.3, 3.1, -1, -1])]),
    TensorFlowOpCase(
      "CropAndResize",
      [
        .data([1, 3, 4, 1], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        .data(
          [2, 4],
          [
            0, 0, 1, 1, 0.9,
            0.5, -0.2, 0.1,
          ]), .places([2], [0, 0]), .integers([2], [1, 3]),
      ],
      ["method": G.text("nearest")],
      [([2, 1, 3, 1], [4, 6, 7, 6, 5, 4])]),
    TensorFlowOpCase(
      "CropAndResizeGradImage",
      [
        .data([2, 2, 2, 1], [-2, 0.01, -0.25, -1.19, -0.7, 1.22, -0.73, -1.4]),
        .data(
          [2, 4],
          [0, 0, 1, 1, 0.9, 0.5, -0.2, 0.1]), .places([2], [0, 0]), .integers([4], [1, 3, 4, 1]),
      ],
      [:],
      [([1, 3, 4, 1], [-2, 0, 0, 0.01, 0.1708001, 0.003199995, -0.07000002, 0, 0.4332, 0.01279998, -0.28, -1.19])]),
    TensorFlowOpCase(
      "CropAndResizeGradBoxes",
      [
        .data([2, 2, 2, 1], [0.79, -0.21, 1.2, -1.06, -0.72, 1.2, 0.03, 0.03]),
        .data(
          [
            1, 3,
            4, 1,
          ], [-1.06, -1.94, 1.73, -1.66, 1.38, -0.53, 1.8, -0.4, 1.75, 0.22, -1.04, 0.97]),
        .data(
          [2, 4],
          [
            0, 0, 1,
            1, 0.9, 0.5, -0.2, 0.1,
          ]), .places([2], [0, 0]),
      ],
      [:],
      [([2, 4], [0, 0, 0, 0, 2.6664, 1.17072, 0, -5.7816])]),
    TensorFlowOpCase(
      "MaxPoolWithArgmax",
      [
        .data(
          [2, 3, 3, 1],
          [
            0.7, 0.74, -0.14, -1.11, 0.56, -1.57, 0.77, 0.54, -0.49, 1.19, -1.22,
            -0.44, 1.19, -0.48, 0.85, 0.45, 1.76, 1.97,
          ])
      ],
      [
        "ksize": G.integers(1, 2, 2, 1), "strides": G.integers(1, 2, 2, 1), "padding": G.text("SAME"),
        "include_batch_in_index": .b(true),
      ],
      [
        ([2, 2, 2, 1], [0.74, -0.14, 0.77, -0.49, 1.19, 0.85, 1.76, 1.97]),
        (
          [2, 2, 2, 1],
          [
            1, 2, 6, 8, 9, 14, 16,
            17,
          ]
        ),
      ]),
    TensorFlowOpCase(
      "MaxPoolGradWithArgmax",
      [
        .data([2, 2, 2, 1], [0.89, 1.24, -1.39, 0.85, 1.39, -0.4, 0.21, -0.08]),
        .data(
          [
            2, 1,
            1, 1,
          ], [1.83, -0.73]), .places([2, 1, 1, 1], [1, 2]),
      ],
      ["ksize": G.integers(1, 2, 2, 1), "strides": G.integers(1, 2, 2, 1), "padding": G.text("SAME")],
      [([2, 2, 2, 1], [0, 1.83, 0, 0, 0, 0, -0.73, 0])]),
    TensorFlowOpCase(
      "Dilation2D",
      [
        .data(
          [1, 3, 4, 1],
          [
            -0.39, -2, -0.32, 0.53, 1.74, 1.69, -0.69, 1.96, -1.25, 1.29, -1.37,
            -0.38,
          ]), .data([2, 2, 1], [-1.71, 1.43, 1.32, -1.44]),
      ],
      ["strides": G.integers(1, 1, 1, 1), "rates": G.integers(1, 1, 2, 1), "padding": G.text("SAME")],
      [
        (
          [1, 3, 4, 1],
          [
            0.25, 3.06, 3.01, 0.6300001, 3.12, 0.7399999, 3.39, -0.04999995, 2.72, 0.05999994, 1.05,
            -3.08,
          ]
        )
      ]),
    TensorFlowOpCase(
      "Dilation2DBackpropInput",
      [
        .data([1, 3, 3, 1], [0.11, -0.97, -0.03, 0.21, -1.57, 1.46, -0.89, -0.21, -1.77]),
        .data([2, 2, 1], [-1.99, -1.22, -0.63, 1.71]), .data([1, 2, 2, 1], [1.56, -0.08, -0.18, 0.67]),
      ],
      ["strides": G.integers(1, 1, 1, 1), "rates": G.integers(1, 1, 1, 1), "padding": G.text("VALID")],
      [([1, 3, 3, 1], [0, 0, 0, 0, 1.56, 0.59, 0, -0.18, 0])]),
    TensorFlowOpCase(
      "Dilation2DBackpropFilter",
      [
        .data([1, 3, 3, 1], [1.44, -0.65, 1.17, -0.4, 0.38, 0.95, 0.01, 0.76, 0.79]),
        .data([2, 2, 1], [-1.98, -1.84, -1.4, -1.15]), .data([1, 2, 2, 1], [-1.19, -1.8, -1.13, 0.4]),
      ],
      ["strides": G.integers(1, 1, 1, 1), "rates": G.integers(1, 1, 1, 1), "padding": G.text("VALID")],
      [([2, 2, 1], [-1.19, 0, 0, -2.53])]),
    TensorFlowOpCase(
      "ExtractVolumePatches", [.data([1, 2, 2, 2, 1], [0, 1, 2, 3, 4, 5, 6, 7])],
      ["ksizes": G.integers(1, 1, 2, 2, 1), "strides": G.integers(1, 1, 1, 1, 1), "padding": G.text("VALID")],
      [([1, 2, 1, 1, 4], [0, 1, 2, 3, 4, 5, 6, 7])]),
    TensorFlowOpCase(
      "ImageProjectiveTransformV3",
      [
        .data([1, 2, 3, 1], [0, 1, 2, 3, 4, 5]),
        .data(
          [1, 8],
          [
            1, 0.5, -1, 0, 1, 0.5, 0,
            0.1,
          ]), .integers([2], [2, 3]), .constant([], [-1]),
      ],
      ["interpolation": G.text("BILINEAR"), "fill_mode": G.text("CONSTANT")],
      [([1, 2, 3, 1], [-1, 1.5, 2.5, 0.3884298, 1.834711, 2.413223])]),
    TensorFlowOpCase(
      "ImageProjectiveTransformV3",
      [
        .data([1, 2, 3, 1], [0, 1, 2, 3, 4, 5]),
        .data(
          [1, 8],
          [
            1, 0, -4, 0, 1, 3, 0,
            0,
          ]), .integers([2], [2, 3]), .constant([], [0]),
      ],
      ["interpolation": G.text("NEAREST"), "fill_mode": G.text("REFLECT")],
      [([1, 2, 3, 1], [2, 2, 1, 2, 2, 1])]),
    TensorFlowOpCase(
      "ImageProjectiveTransformV3",
      [
        .data([1, 2, 3, 1], [0, 1, 2, 3, 4, 5]),
        .data(
          [1, 8],
          [
            1, 0, -4, 0, 1, 3, 0,
            0,
          ]), .integers([2], [2, 3]), .constant([], [0]),
      ],
      ["interpolation": G.text("NEAREST"), "fill_mode": G.text("WRAP")],
      [([1, 2, 3, 1], [2, 2, 2, 2, 2, 2])]),
    TensorFlowOpCase(
      "CumulativeLogsumexp", [.data([5], [-.infinity, 1, 2, -.infinity, 3]), .integers([], [0])],
      [:],
      [([5], [-.infinity, 1, 2.313262, 2.313262, 3.407606])]),
    TensorFlowOpCase(
      "CumulativeLogsumexp", [.data([3], [0, 1, 2]), .integers([], [0])],
      ["exclusive": .b(true), "reverse": .b(true)],
      [([3], [2.313262, 2, -.infinity])]),
    TensorFlowOpCase(
      "BesselI0", [.data([6], [0, -0.5, 3, 8, -20, .nan])],
      [:],
      [([6], [1, 1.063483, 4.880793, 427.5642, 4.355828e+07, .nan])]),
    TensorFlowOpCase(
      "BesselI1", [.data([6], [0, -0.5, 3, 8, -20, .nan])],
      [:],
      [([6], [0, -0.2578943, 3.953371, 399.8734, -4.245497e+07, .nan])]),
    TensorFlowOpCase(
      "BesselI0e", [.data([6], [0, -0.5, 3, 8, -20, .nan])],
      [:],
      [([6], [1, 0.6450354, 0.2430004, 0.1434318, 0.0897803, .nan])]),
    TensorFlowOpCase(
      "BesselI1e", [.data([6], [0, -0.5, 3, 8, -20, .nan])],
      [:],
      [([6], [0, -0.1564208, 0.1968268, 0.1341426, -0.08750622, .nan])]),
    TensorFlowOpCase(
      "Ndtri", [.data([8], [0, 1, 0.5, 1e-10, 0.02, 0.3, 0.99, -0.1])],
      [:],
      [([8], [-.infinity, .infinity, 0, -6.361341, -2.053749, -0.5244005, 2.326348, .nan])]),
    TensorFlowOpCase(
      "Zeta", [.data([6], [2, 3.5, 1, 0.5, 2, 2.5]), .data([6], [1, 0.3, 1, 1, 0, -1.5])],
      [:],
      [([6], [1.644934, 68.10265, .infinity, .nan, .infinity, .nan])]),
    TensorFlowOpCase(
      "Polygamma", [.data([4], [0, 1, 3, 1.5]), .data([4], [1.5, 0.3, 2, 1])],
      [:],
      [([4], [0.03648996, 12.24536, 0.4939394, .nan])]),
    TensorFlowOpCase(
      "Igamma", [.data([7], [0.5, 2, 10, 3, -1, 2, 5]), .data([7], [0.2, 5, 9, 0, 1, .infinity, .nan])],
      [:],
      [([7], [0.4729107, 0.9595723, 0.4125918, 0, .nan, 1, .nan])]),
    TensorFlowOpCase(
      "Igammac", [.data([6], [0.5, 2, 10, 3, -1, 2]), .data([6], [0.2, 5, 9, 0, 1, .infinity])],
      [:],
      [([6], [0.5270894, 0.04042768, 0.5874082, 1, .nan, 0])]),
    TensorFlowOpCase(
      "Betainc",
      [
        .data([6], [0.5, 2, 10, 3, -1, 2]), .data([6], [2, 0.5, 3, 1, 1, 2]),
        .data(
          [6],
          [
            0.2, 0.7, 0.9, 0,
            0.5, 1,
          ]),
      ],
      [:],
      [([6], [0.6260991, 0.2605746, 0.88913, 0, .nan, 1])]),
    TensorFlowOpCase(
      "DynamicStitch",
      [
        .integers([2], [3, 0]), .integers([2], [1, 2]), .data([2, 2], [0, 1, 2, 3]),
        .data(
          [2, 2],
          [-0, -1, -2, -3]),
      ],
      [:],
      [([4, 2], [2, 3, -0, -1, -2, -3, 0, 1])]),
    TensorFlowOpCase(
      "SparseToDense",
      [
        .integers([2, 2], [0, 1, 2, 0]), .integers([2], [3, 2]), .data([2], [5, 7]),
        .constant(
          [],
          [-1]),
      ],
      [:],
      [([3, 2], [-1, 5, -1, -1, 7, -1])]),
    TensorFlowOpCase(
      "NthElement",
      [
        .data([2, 5], [1.54, -0.6, -0.53, -0.33, 0.72, 1.14, 1.76, -0.5, 0.83, -0.63]),
        .integers(
          [],
          [1]),
      ],
      ["reverse": .b(true)],
      [([2], [0.72, 1.14])]),
    TensorFlowOpCase(
      "DataFormatVecPermute", [.places([4], [1, 2, 3, 4])],
      [:],
      [([4], [1, 4, 2, 3])]),
    TensorFlowOpCase(
      "DataFormatDimMap", [.places([4], [0, 1, 3, -1])],
      [:],
      [([4], [0, 2, 1, 1])]),
    TensorFlowOpCase(
      "Bincount", [.places([4], [1, 2, 2, 7]), .integers([], [4]), .data([4], [1, 2, 3, 4])],
      [:],
      [([4], [0, 1, 5, 0])]),
    TensorFlowOpCase(
      "HistogramFixedWidth", [.data([6], [-5, 0, 0.4, 0.9, 1, 7]), .constant([2], [0, 1]), .integers([], [3])],
      [:],
      [([3], [2, 1, 3])]),
    TensorFlowOpCase(
      "TensorStridedSliceUpdate",
      [
        .data([3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), .integers([2], [2, 0]),
        .integers([2], [0, 4]), .integers([2], [-1, 2]), .data([2, 2], [-1.3, 1.08, -1.48, -0.02]),
      ],
      [:],
      [([3, 4], [0, 1, 2, 3, -1.48, 5, -0.02, 7, -1.3, 9, 1.08, 11])]),
    TensorFlowOpCase(
      "StridedSliceGrad",
      [
        .integers([2], [3, 4]), .integers([2], [2, 0]), .integers([2], [0, 4]),
        .integers(
          [2],
          [
            -1,
            2,
          ]), .data([2, 2], [0.9, 0.14, -0.74, -0.02]),
      ],
      [:],
      [([3, 4], [0, 0, 0, 0, -0.74, 0, -0.02, 0, 0.9, 0, 0.14, 0])]),
    TensorFlowOpCase(
      "CombinedNonMaxSuppression",
      [
        .data([1, 3, 1, 4], [0, 0, 0.5, 0.5, 0, 0, 0.5, 0.52, 0.5, 0.5, 1.2, 1]),
        .data([1, 3, 2], [0.9, 0.2, 0.8, 0.7, 0.3, 0.1]), .integers([], [2]), .integers([], [4]),
        .constant(
          [],
          [0.5]), .constant([], [0.15]),
      ],
      [:],
      [
        ([1, 4, 4], [0, 0, 0.5, 0.5, 0, 0, 0.5, 0.52, 0.5, 0.5, 1, 1, 0, 0, 0, 0]), ([1, 4], [0.9, 0.7, 0.3, 0]),
        (
          [
            1,
            4,
          ], [0, 1, 0, 0]
        ), ([1], [3]),
      ]),
  ]
}
